import { type Address, addressOf, type Crypto, fromHex, type RecoveryJob } from '@rockpool/protocol'

const keyLength = 6
const rowLength = keyLength + 2
const addressLength = 20
/** Index that stands for a signature of nobody. */
const nobody = 0xffff

/** Few bytes that tell one signature from another among some ten thousand. */
function keyOf({ digest, r, s, id }: RecoveryJob): string {
  const bytes = [r[1], r[2], r[3], digest[0], digest[1], (s[31] ?? 0) ^ id]
  return String.fromCharCode(...bytes.map(byte => byte ?? 0))
}

/**
 * Who made each signature of recorded traces, as bytes: tests that replay all of them spend most of their time on recovering what never
 * changes. A count of addresses, the addresses, then a row per signature: key, index of its address.
 */
export class SenderBook {
  private readonly known = new Map<string, Address | undefined>()

  /** Recovery that looks here first, and remembers what it had to ask `crypto` for. */
  over(crypto: Crypto): Crypto {
    return {
      ...crypto,
      recover: async jobs => {
        const unknown = jobs.filter(job => !this.known.has(keyOf(job)))
        const answers = unknown.length === 0 ? [] : await crypto.recover(unknown)
        for (const [index, job] of unknown.entries()) this.known.set(keyOf(job), answers[index])
        return jobs.map(job => this.known.get(keyOf(job)))
      },
    }
  }

  get size(): number {
    return this.known.size
  }

  read(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const count = view.getUint16(0)
    const addresses = Array.from({ length: count }, (_, index) => {
      const at = 2 + index * addressLength
      return addressOf(bytes.slice(at, at + addressLength))
    })
    const rows = 2 + count * addressLength
    for (let at = rows; at + rowLength <= bytes.length; at += rowLength) {
      const key = String.fromCharCode(...bytes.subarray(at, at + keyLength))
      this.known.set(key, addresses[view.getUint16(at + keyLength)])
    }
  }

  write(): Uint8Array {
    const addresses = [...new Set(this.known.values())].filter(address => address !== undefined)
    const indexOf = new Map(addresses.map((address, index) => [address, index]))
    const rows = 2 + addresses.length * addressLength
    const bytes = new Uint8Array(rows + this.known.size * rowLength)
    const view = new DataView(bytes.buffer)
    view.setUint16(0, addresses.length)
    for (const [index, address] of addresses.entries()) {
      bytes.set(fromHex(address), 2 + index * addressLength)
    }
    let at = rows
    for (const [key, address] of [...this.known].sort(([left], [right]) =>
      left < right ? -1 : 1,
    )) {
      for (let index = 0; index < keyLength; index++) bytes[at + index] = key.charCodeAt(index)
      const known = address === undefined ? undefined : indexOf.get(address)
      view.setUint16(at + keyLength, known ?? nobody)
      at += rowLength
    }
    return bytes
  }
}
