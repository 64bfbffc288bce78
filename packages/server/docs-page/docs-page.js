// Shows the document that lies beside this page. Nothing is asked of any other origin.
window.SwaggerUIBundle({
  url: new URL('../openapi.json', window.location.href).href,
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
  tagsSorter: 'alpha',
});
