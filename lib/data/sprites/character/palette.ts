// The materials of the synthetic characters: six variants of skin, trousers, top and hair, and what all share.

import type { Ramp } from "./canvas.ts";

const ramp = (outline: number, deep: number, dark: number, base: number, light: number, shine: number): Ramp => ({
  outline,
  deep,
  dark,
  base,
  light,
  shine,
});

/** Skin and iris of the six bodies; the last two have pointed ears. */
export const skins: readonly { skin: Ramp; iris: number; iris2: number; blush: number; pointedEars: boolean }[] = [
  {
    skin: ramp(0x6b3a2e, 0xc98a6c, 0xe0a482, 0xf6c9a4, 0xffdfc2, 0xffeedd),
    iris: 0x2f7fd0, iris2: 0x7cc4ff, blush: 0xf2a08c, pointedEars: false,
  },
  {
    skin: ramp(0x5a2f1d, 0xa8673c, 0xc4814e, 0xdf9f68, 0xf0b983, 0xf9cf9f),
    iris: 0x3f8f4a, iris2: 0x8fd88a, blush: 0xd9805a, pointedEars: false,
  },
  {
    skin: ramp(0x3f2114, 0x7a4726, 0x925832, 0xae6f42, 0xc58655, 0xd79d6d),
    iris: 0x8a5a1c, iris2: 0xd8a24a, blush: 0xa85a3a, pointedEars: false,
  },
  {
    skin: ramp(0x2a1610, 0x553020, 0x68402b, 0x7f523a, 0x966649, 0xac7c5c),
    iris: 0x5a3a20, iris2: 0xa87a4a, blush: 0x8a4636, pointedEars: false,
  },
  {
    skin: ramp(0x23401c, 0x4f7f33, 0x659a40, 0x84b954, 0x9fd06c, 0xbce48a),
    iris: 0xb03a20, iris2: 0xf08a50, blush: 0x6f9a3c, pointedEars: true,
  },
  {
    skin: ramp(0x3a3a6a, 0x7478b4, 0x8c92cc, 0xa9b0e2, 0xc3caf2, 0xdde2fc),
    iris: 0x7a2fc0, iris2: 0xc07cff, blush: 0x9a8ae0, pointedEars: true,
  },
];

/** White of the eye, lashes, brows and mouth, shared by all. */
export const face = { white: 0xfbfbff, lash: 0x241418, mouth: 0x7a3a34 };

/** Boots, shared by all. */
export const leather = ramp(0x34190c, 0x6a3a1a, 0x86502a, 0xa86a38, 0xc88a4e, 0xe2ac6c);

/** Hair, one colour per style, so that the style is readable from a single lock. */
export const hairs: readonly Ramp[] = [
  ramp(0x8a4408, 0xc8780c, 0xe39a14, 0xf7c030, 0xffdc5c, 0xfff2a0),
  ramp(0x5e1408, 0x9a2c10, 0xbd4218, 0xdd5f26, 0xf2823e, 0xffa868),
  ramp(0x141030, 0x2a2258, 0x382f72, 0x4a418e, 0x6058aa, 0x857ec8),
  ramp(0x06424a, 0x0e7478, 0x18968f, 0x2cb8a8, 0x58d6c2, 0x98f0dc),
  ramp(0x3e0c4a, 0x6e1c82, 0x8a2aa0, 0xa844bf, 0xc468d8, 0xe09cf0),
  ramp(0x4a4a52, 0x8a8a96, 0xa8a8b4, 0xc6c6d0, 0xe2e2ea, 0xfafaff),
];

/** Trousers: jeans, chalk trousers, red shorts, plum skirt, ochre baggy trousers, patched forest trousers. */
export const bottoms: readonly { cloth: Ramp; trim: number }[] = [
  { cloth: ramp(0x141f4a, 0x263f84, 0x30529e, 0x3f69bd, 0x5a86d6, 0x80a8ec), trim: 0xd8a03c },
  { cloth: ramp(0x57534c, 0xa29c90, 0xbcb6aa, 0xd8d4c8, 0xebe8de, 0xf9f7f0), trim: 0x8c6a44 },
  { cloth: ramp(0x560d12, 0x8e1a20, 0xae262a, 0xcf3838, 0xe65a52, 0xf58a7c), trim: 0xfff0d0 },
  { cloth: ramp(0x3a1038, 0x66245f, 0x803278, 0x9c4894, 0xb869b0, 0xd494cc), trim: 0xf6d87c },
  { cloth: ramp(0x4c3206, 0x86600f, 0xa67a18, 0xc69828, 0xdeb547, 0xf1d276), trim: 0x5a2a14 },
  { cloth: ramp(0x12321e, 0x225a36, 0x2e7244, 0x3f8e57, 0x5fab74, 0x8cc99a), trim: 0xc08a4a },
];

/** Tops: tunic, shirt with tie, leather vest, steel plate, striped jersey, hooded cape. */
export const tops: readonly { cloth: Ramp; accent: Ramp; sleeves: "none" | "short" | "long" }[] = [
  {
    cloth: ramp(0x5c0f1c, 0x981c2e, 0xb92a3a, 0xdb434c, 0xee6b6a, 0xfb9c92),
    accent: ramp(0x6a4408, 0xb07a14, 0xcc9420, 0xe8b434, 0xf6cf60, 0xffe898), sleeves: "long",
  },
  {
    cloth: ramp(0x5a5f72, 0xa4acc0, 0xbfc6d6, 0xdde2ec, 0xf0f3f8, 0xffffff),
    accent: ramp(0x0e1c3a, 0x1a3266, 0x22427e, 0x2f569c, 0x4a74b8, 0x7298d2), sleeves: "long",
  },
  {
    cloth: ramp(0x5a3a06, 0xa87410, 0xc88e18, 0xe6ac2c, 0xf6c850, 0xffe48c),
    accent: ramp(0x24202c, 0x4c4658, 0x645c74, 0x847a96, 0xb0a8be, 0xe6e0f0), sleeves: "none",
  },
  {
    cloth: ramp(0x2c3442, 0x5c6a80, 0x76869c, 0x96a6ba, 0xb8c6d6, 0xe2ecf6),
    accent: ramp(0x5c3c08, 0x9c6c14, 0xbc8822, 0xdcaa3a, 0xf0c866, 0xffe8a4), sleeves: "short",
  },
  {
    cloth: ramp(0x0c3a5a, 0x186494, 0x2080b4, 0x34a2d4, 0x60c0ea, 0x98dcf8),
    accent: ramp(0x5c6470, 0xb0bac6, 0xc8d0da, 0xe4eaf0, 0xf4f8fa, 0xffffff), sleeves: "short",
  },
  {
    cloth: ramp(0x153a16, 0x2a6a28, 0x388434, 0x4fa245, 0x74bf62, 0xa2da8c),
    accent: ramp(0x6a3a10, 0xb06a20, 0xcc8430, 0xe8a44c, 0xf6c27a, 0xffe0ae), sleeves: "long",
  },
];
