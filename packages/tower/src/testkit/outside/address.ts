const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** The address of a key's witness program on a regtest chain. */
export function regtestAddress(keyHash: Uint8Array): string {
  const prefix = 'bcrt'
  const data = [0, ...fives(keyHash)]
  const expanded = [...[...prefix].map(each => each.charCodeAt(0) >> 5), 0]
  expanded.push(...[...prefix].map(each => each.charCodeAt(0) & 31))
  const sum = checksum([...expanded, ...data, 0, 0, 0, 0, 0, 0]) ^ 1
  const tail = Array.from({ length: 6 }, (_, at) => (sum >> (5 * (5 - at))) & 31)
  return `${prefix}1${[...data, ...tail].map(value => letters[value]).join('')}`
}

function fives(bytes: Uint8Array): number[] {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map(group => Number.parseInt(group.padEnd(5, '0'), 2))
}

function checksum(values: readonly number[]): number {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    generators.forEach((generator, at) => {
      if ((top >>> at) & 1) sum ^= generator
    })
  }
  return sum
}
