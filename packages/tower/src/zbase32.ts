const alphabet = 'ybndrfg8ejkmcpqxot1uwisza345h769'
const values = new Int8Array(128).fill(-1)
for (let value = 0; value < alphabet.length; value += 1) {
  const letter = alphabet[value] ?? ''
  values[letter.charCodeAt(0)] = value
  values[letter.toUpperCase().charCodeAt(0)] = value
}

/** Bytes as zbase32: five bits a character, highest first, the last filled up with zeros. */
export function toZbase32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >> bits) & 31] ?? ''
    }
  }
  if (bits > 0) text += alphabet[(held << (5 - bits)) & 31] ?? ''
  return text
}

/** The bytes of zbase32 text in any case; undefined for what no bytes give: other characters, a length between two, filling that is not zero. */
export function fromZbase32(text: string): Uint8Array | undefined {
  const rest = text.length % 8
  if (rest === 1 || rest === 3 || rest === 6) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (let index = 0; index < text.length; index += 1) {
    const value = values[text.charCodeAt(index)] ?? -1
    if (value < 0) return undefined
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at] = (held >> bits) & 0xff
    at += 1
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
