// CIE Lab (D65) and the sRGB gamut, as the library has them: the white point follows from the RGB matrix, so that
// grays are exactly (L, 0, 0). L* 0..100; sRGB channels 0..1 unless said.

const RGB_TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const XYZ_TO_RGB = [
  [3.2404542, -1.5371385, -0.4985314],
  [-0.969266, 1.8760108, 0.041556],
  [0.0556434, -0.2040259, 1.0572252],
];
const WHITE = RGB_TO_XYZ.map((row) => row[0] + row[1] + row[2]);
const DELTA = 6 / 29;

const decode = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const encode = (v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
const root = (t) => (t > DELTA ** 3 ? Math.cbrt(t) : t / (3 * DELTA * DELTA) + 4 / 29);
const cube = (t) => (t > DELTA ? t ** 3 : 3 * DELTA * DELTA * (t - 4 / 29));
const clip = (v) => Math.min(Math.max(v, 0), 1);

/** sRGB channels 0..1 to [L*, a*, b*]. */
export function labFromRgb(rgb) {
  const linear = rgb.map(decode);
  const [x, y, z] = RGB_TO_XYZ.map((row, i) => root(row.reduce((sum, m, k) => sum + m * linear[k], 0) / WHITE[i]));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Lab to linear light; channels leave 0..1 where the color is outside the gamut. */
export function linearFromLab(lightness, a, b) {
  const y = (lightness + 16) / 116;
  const xyz = [cube(y + a / 500) * WHITE[0], cube(y) * WHITE[1], cube(y - b / 200) * WHITE[2]];
  return XYZ_TO_RGB.map((row) => row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]);
}

/** Lab to sRGB 0..255, rounded; colors outside the gamut are clipped (ask `inGamut` before). */
export function bytesFromLab(lightness, a, b) {
  return linearFromLab(lightness, a, b).map((v) => Math.round(255 * clip(encode(clip(v)))));
}

export function inGamut(lightness, a, b) {
  return linearFromLab(lightness, a, b).every((v) => v > -2e-6 && v < 1 + 2e-6);
}

/** The largest chroma that sRGB has at this lightness and hue (radians), to 0.02. */
export function maxChroma(lightness, hue) {
  const [cos, sin] = [Math.cos(hue), Math.sin(hue)];
  let [low, high] = [0, 136];
  for (let i = 0; i < 13; i += 1) {
    const middle = (low + high) / 2;
    if (inGamut(lightness, middle * cos, middle * sin)) low = middle;
    else high = middle;
  }
  return low;
}

export function hexFromLab(lightness, a, b) {
  return `#${bytesFromLab(lightness, a, b).map((v) => v.toString(16).padStart(2, '0')).join('')}`;
}

/** "#rrggbb" or "#rgb" to [L*, a*, b*]. */
export function labFromHex(hex) {
  return labFromRgb(bytesFromHex(hex).map((v) => v / 255));
}

export function bytesFromHex(hex) {
  const text = hex.length === 4 ? [...hex.slice(1)].map((c) => c + c).join('') : hex.slice(1);
  return [0, 2, 4].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/** What a person typed, as "#rrggbb"; null if it is not a color. */
export function readHex(text) {
  const found = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (!found) return null;
  const digits = found[1].length === 3 ? [...found[1]].map((c) => c + c).join('') : found[1];
  return `#${digits.toLowerCase()}`;
}

/** The hue and chroma of a color at another lightness, with the chroma that sRGB still has there. */
export function atLightness(hex, lightness) {
  const [, a, b] = labFromHex(hex);
  const hue = Math.atan2(b, a);
  const chroma = Math.min(Math.hypot(a, b), maxChroma(lightness, hue));
  return hexFromLab(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

const HUES = [
  [20, 'pink'], [50, 'red'], [72, 'orange'], [108, 'yellow'], [160, 'green'], [215, 'teal'], [265, 'sky blue'],
  [305, 'blue'], [335, 'purple'], [361, 'pink'],
];

/** A name in words, for those who do not see the swatch: "dark muted red". */
export function colorName(hex) {
  const [lightness, a, b] = labFromHex(hex);
  const chroma = Math.hypot(a, b);
  const tone = lightness < 30 ? 'dark ' : lightness > 75 ? 'light ' : '';
  if (chroma < 6) return lightness < 12 ? 'black' : lightness > 93 ? 'white' : `${tone}gray`;
  const degrees = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
  const hue = HUES.find(([end]) => degrees < end)[1];
  if (hue === 'orange' && lightness < 55 && chroma < 50) return lightness < 30 ? 'dark brown' : 'brown';
  if (['orange', 'yellow'].includes(hue) && degrees < 95 && lightness > 65 && chroma < 22) return 'beige';
  if (hue === 'yellow' && lightness < 50) return lightness < 30 ? 'dark olive' : 'olive';
  return `${tone}${chroma < 22 ? 'muted ' : chroma > 60 ? 'vivid ' : ''}${hue}`;
}
