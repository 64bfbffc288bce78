/**
 * What a check-in code's words are taken from: short, everyday, hard to mishear or misspell, and fit for a classroom.
 * 256 of them, so that a byte names one. Part of what a code is: a changed list would make every running code another.
 */
export const CODE_WORDS: readonly string[] = `
  acorn actor album alley amber angle ankle apple apron arrow atlas attic
  bacon badge baker bamboo banana banjo basil basket beach beaver bench berry
  window bison blanket blossom board bonus border bottle branch bread breeze brick
  bridge broom brush bubble bucket buffalo bundle saturn button cabin cactus camel
  school candle canoe canvas canyon carbon cargo carpet carrot castle cedar cello
  chalk chapel cherry chess circle citrus clock cloud clover coast cobalt cocoa
  comet compass copper coral corner cotton cousin crayon cricket crown crystal cube
  curtain daisy dancer desert diamond dinner dolphin donkey dragon drum eagle
  easel echo elbow ember engine fabric falcon family farmer feather ferry fiddle
  field finger flag flame flute forest fossil fountain fox frame frost galaxy
  garden garlic gecko ginger giraffe glacier globe glove goat granite grape grass
  guitar hammer harbor harp hazel helmet train honey hotel igloo indigo
  insect iris island ivory jacket jaguar jelly jewel jungle kettle kitchen kite
  koala ladder lagoon lake lantern lava lemon lilac linen lion lizard llama
  lobster locket lotus magnet mango maple marble market meadow melon shell metal
  mirror mitten monkey moon mosaic motor mountain museum mustard napkin nectar needle
  nest noodle north novel nutmeg oasis ocean olive onion orbit orchid otter
  oven owl paddle palace panda panel paper parrot pasta peach pebble pelican
  pencil pepper piano picnic pigeon pillow pilot pine planet plum pocket polar
  pony poppy potato prism pumpkin puppet puzzle quartz quill rabbit radio raft
  rainbow raven ribbon river robin rocket saddle salmon sandal scarf
  shadow silver spoon spring summer sunset tiger tulip
`
  .trim()
  .split(/\s+/);
