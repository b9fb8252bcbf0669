import { pathToFileURL } from 'node:url'
import { Packr } from 'msgpackr/pack'
import type { BenchRow } from '../conformance/bench-row.ts'
import { toHex } from '../values/bytes.ts'
import { createCodec } from './codec.ts'
import { bytes, u32 } from './layout.ts'

const amount = bytes(0, 32)
const codec = createCodec({
  version: 1,
  kinds: {
    1: [
      u32,
      u32,
      amount,
      amount,
      amount,
      u32,
      bytes(0, 20),
      amount,
      bytes(0, 1_024),
      u32,
      amount,
      amount,
    ],
  },
})
const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)

/** A transaction of twelve fields as a frame, beside the same as JSON with hexadecimal text. */
export async function rows(): Promise<BenchRow[]> {
  const slots: Parameters<typeof codec.encode<1>>[1] = [
    2,
    1337,
    filled(2, 7),
    filled(4, 59),
    filled(4, 119),
    21_000,
    filled(20, 53),
    filled(8, 13),
    filled(6, 96),
    1,
    filled(32, 143),
    filled(32, 60),
  ]
  const names = 'type chainId nonce tip feeCap gas to value data yParity r s'.split(' ')
  const object = Object.fromEntries(
    names.map((name, at) => {
      const value = slots[at]
      return [name, value instanceof Uint8Array ? toHex(value) : value]
    }),
  )
  const frame = codec.encode(1, slots)
  const json = JSON.stringify(object)
  const plain = new Packr({ useRecords: false, moreTypes: false, copyBuffers: true })

  const stringify = perCpuSecond(() => JSON.stringify(object))
  const parse = perCpuSecond(() => JSON.parse(json))
  const row = (
    name: string,
    ours: number,
    reference: [string, number],
    least: number,
  ): BenchRow => ({
    row: `codec, 12 fields: ${name}`,
    unit: 'per CPU s',
    ours,
    reference: { name: reference[0], value: reference[1] },
    ratio: ours / reference[1],
    target: `>= ${least} x`,
    met: ours / reference[1] >= least,
  })
  return [
    row(
      'encode',
      perCpuSecond(() => codec.encode(1, slots)),
      ['JSON.stringify', stringify],
      0.5,
    ),
    row(
      'decode',
      perCpuSecond(() => plain.unpack(frame)),
      ['JSON.parse', parse],
      1.5,
    ),
    row(
      'decode with all checks',
      perCpuSecond(() => codec.decode(frame, 4_096)),
      ['JSON.parse', parse],
      0.3,
    ),
    {
      row: 'codec, 12 fields: size',
      unit: 'bytes',
      ours: frame.length,
      reference: { name: 'JSON', value: json.length },
      ratio: frame.length / json.length,
      target: '<= 0.4 x',
      met: frame.length / json.length <= 0.4,
    },
  ]
}

/** Best of five, each after the last, so that the compiler has settled. */
function perCpuSecond(act: () => unknown, times = 200_000): number {
  let best = 0
  for (let round = 0; round < 5; round += 1) {
    const before = process.cpuUsage()
    for (let index = 0; index < times; index += 1) act()
    const { user, system } = process.cpuUsage(before)
    best = Math.max(best, (times * 1e6) / (user + system))
  }
  return Math.round(best)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(await rows())
