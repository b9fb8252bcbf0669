import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { batch, call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'
import { signToItself } from '../testkit/transfers.ts'

/* What real processes did, with their disks, sockets and clocks, happens again from the file alone. */

const scratch = createScratch()
const account = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)
const transfers = 300

afterAll(() => scratch.close())

test('a node under load is recorded and replayed 10 times to the same trace, redacted and torn too', async () => {
  const genesis = ['--chain.block-time', '300ms', '--record.enabled']
  const node = scratch.run(scratch.path('recorded'), [...quietFlags, ...genesis])
  const { rpc, chainId } = await node.ready()
  const raws = await signToItself(account, chainId, transfers)
  for (let from = 0; from < transfers; from += 20) {
    await batch(
      rpc,
      raws.slice(from, from + 20).map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] })),
    )
    await batch(rpc, [
      { method: 'eth_gasPrice', params: [] },
      { method: 'eth_getBlockByNumber', params: ['latest', true] },
      { method: 'txpool_content', params: [] },
    ])
  }
  await until('all are mined', async () => {
    const count = await call<string>(rpc, 'eth_getTransactionCount', [account.address, 'latest'])
    return Number(count) === transfers
  })
  const marked = await scratch.rockpool(['record', 'mark', 'saw it', '--datadir', node.datadir])
  expect(marked).toMatchObject({ code: 0 })
  expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
  const folder = join(node.datadir, 'recordings')
  const [name = ''] = readdirSync(folder)
  const file = join(folder, name)
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const first = await scratch.rockpool(['replay', file])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  const traceOf = (text: string) => /(\d+ turns).*(trace [0-9a-f]{8}), (.*)/.exec(text)?.slice(1)
  expect(traceOf(first.stdout)?.[2]).toBe('as recorded')
  for (let round = 1; round < 10; round++) {
    expect(traceOf((await scratch.rockpool(['replay', file])).stdout)).toEqual(
      traceOf(first.stdout),
    )
  }

  const clean = scratch.path('clean.rprec')
  await scratch.rockpool(['record', 'export', file, '--redact', '--out', clean])
  expect(traceOf((await scratch.rockpool(['replay', clean])).stdout)).toEqual(traceOf(first.stdout))
  expect(readFileSync(clean).includes('saw it')).toBe(false)

  const found = await scratch.rockpool(['replay', file, '--break', '/pool:chain.head'])
  expect(found.stdout).toMatch(/found\n\/pool:chain.head#\d+ <- /)

  writeFileSync(scratch.path('torn.rprec'), readFileSync(file))
  const torn = openSync(scratch.path('torn.rprec'), 'r+')
  ftruncateSync(torn, statSync(file).size - 100)
  closeSync(torn)
  const cut = await scratch.rockpool(['replay', scratch.path('torn.rprec')])
  expect(cut).toMatchObject({ code: 0 })
  expect(cut.stderr).toMatch(/the file is torn: its last \d+ bytes are left out/)

  writeFileSync(scratch.path('changed.rprec'), withOneByteChanged(readFileSync(file), raws[200]))
  const diverged = await scratch.rockpool(['replay', scratch.path('changed.rprec')])
  expect(diverged).toMatchObject({ code: 127 })
  expect(diverged.stderr).toMatch(/diverged at turn \d+ \(agreed at \d+\)/)
}, 180_000)

/** Another signature for one submission, in a frame whose checksum agrees. */
function withOneByteChanged(file: Buffer, raw = ''): Buffer {
  const at = file.indexOf(Buffer.from(raw.slice(2), 'hex')) + 20
  const changed = Buffer.from(file)
  changed[at] = (changed[at] ?? 0) ^ 1
  for (let frame = 0; frame < changed.length; ) {
    const length = changed.readUInt32LE(frame)
    const payload = changed.subarray(frame + 8, frame + 8 + length)
    changed.writeUInt32LE(crc32(payload), frame + 4)
    frame += 8 + length
  }
  return changed
}
