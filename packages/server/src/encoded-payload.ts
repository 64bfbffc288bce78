/**
 * A payload whose JSON is written once, however many frames carry it: the acknowledgement, the answer's event, the
 * broadcast. A part of it can be written already, and be part of others too. Nothing is written before it is asked for.
 */
export class EncodedPayload {
  readonly #fields: object;
  readonly #part: EncodedPayload | undefined;
  /** The field that is the part; undefined where the part's own fields follow. */
  readonly #name: string | undefined;
  #json: string | undefined;

  private constructor(fields: object, part?: EncodedPayload, name?: string) {
    this.#fields = fields;
    this.#part = part;
    this.#name = name;
  }

  static of(payload: object): EncodedPayload {
    return payload instanceof EncodedPayload ? payload : new EncodedPayload(payload);
  }

  /** The payload `fields`, with one more field, which `fields` doesn't have. */
  static with(fields: object, name: string, part: EncodedPayload): EncodedPayload {
    return new EncodedPayload(fields, part, name);
  }

  get json(): string {
    this.#json ??= this.#write();
    return this.#json;
  }

  #write(): string {
    const json = JSON.stringify(this.#fields);
    if (!this.#part) return json;
    const part = this.#part.json;
    return joined(json, this.#name === undefined ? part : `{${JSON.stringify(this.#name)}:${part}}`);
  }

  /** Writes the JSON now, since there is time. */
  write(): this {
    void this.json;
    return this;
  }

  /** The payload as the plain object that it is to everybody else. */
  get value(): object {
    if (!this.#part) return this.#fields;
    const part = this.#part.value;
    return this.#name === undefined ? { ...this.#fields, ...part } : { ...this.#fields, [this.#name]: part };
  }

  /** This payload behind further fields; where it has one of them itself, its own stays. */
  behind(fields: Readonly<Record<string, unknown>>): EncodedPayload {
    const first: Record<string, unknown> = {};
    for (const name in fields) if (!this.#has(name)) first[name] = fields[name];
    return new EncodedPayload(first, this);
  }

  #has(name: string): boolean {
    if (name in this.#fields || name === this.#name) return true;
    return this.#part !== undefined && this.#name === undefined && this.#part.#has(name);
  }

  /** For whoever encodes it without knowing what it is. */
  toJSON(): object {
    return this.value;
  }
}

/** Two JSON objects, which share no name, as one. */
function joined(one: string, other: string): string {
  if (one === '{}') return other;
  return other === '{}' ? one : `${one.slice(0, -1)},${other.slice(1)}`;
}
