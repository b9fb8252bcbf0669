import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call, checkout, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/* The pool as its operator meets it: every verb of `rockpool txpool` against a running node. */

const scratch = createScratch()
const datadir = scratch.path('node')
const at = ['--datadir', datadir]
const account = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)

afterAll(() => scratch.close())

const txpool = (...words: string[]) => scratch.rockpool(['txpool', ...words, ...at])

function transfer(nonce: number, chainId: number) {
  return account.signTransaction({
    ...{ type: 'eip1559', chainId, nonce, gas: 21_000n, value: 1n, to: account.address },
    ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
  })
}

test('an operator sends, lists, asks why, drops and exports', async () => {
  expect((await txpool('status')).code).toBe(3)
  const node = scratch.run(datadir, [...quietFlags, '--chain.mining', 'manual', '--devnet.control'])
  const { chainId, rpc } = await node.ready()
  const file = scratch.path('raw.txt')
  writeFileSync(file, `${await transfer(2, chainId)}\n`)

  const empty = await txpool('ls')
  expect(empty).toMatchObject({ code: 0, stdout: 'none\n' })
  const first = await txpool('send', await transfer(0, chainId))
  expect(first.stdout).toMatch(/^0x[0-9a-f]{64} {2}pending\n$/)
  const hash = first.stdout.slice(0, 66)
  expect((await txpool('send', await transfer(0, chainId))).code).toBe(1)
  expect((await txpool('send', await transfer(0, chainId), '--idempotent')).stdout).toContain(hash)
  const second = await txpool('send', file, '--private')
  expect(second.stdout).toContain('queued')
  const secret = second.stdout.slice(0, 66)

  const [list, ofNobody, gap, short, address, show, status] = await Promise.all([
    txpool('ls'),
    txpool('ls', '--from', `0x${'00'.repeat(20)}`),
    txpool('why', secret),
    txpool('why', hash.slice(0, 10), '--json'),
    txpool('why', account.address),
    txpool('show', hash),
    txpool('status', '--json'),
  ])
  expect(list.stdout.split('\n')[1]?.split('\t').slice(0, 4)).toEqual([
    ...['pending', account.address, '0', hash],
  ])
  expect(list.stdout).toContain(secret)
  expect(ofNobody.stdout).toBe('none\n')
  expect(gap.stdout).toContain('Waiting for nonce 1: the account is at 0 and 1 never arrived.')
  expect(gap.stdout).toMatch(/received private +\(message \d+\)/)
  expect(JSON.parse(short.stdout)).toMatchObject({ hash, state: 'pending', tracked: true })
  expect(address.stdout).toContain('1 executable, 1 waiting; 1 missing, the first is nonce 1.')
  expect(show.stdout).toMatch(/^maxFeePerGas +3000000000$/m)
  expect(JSON.parse(status.stdout)).toMatchObject({ stats: { pending: 1, queued: 1 } })

  expect(await call(rpc, 'txpool_explain', [secret])).toMatchObject({ state: 'unknown' })
  expect(JSON.stringify(await call(rpc, 'txpool_content', []))).not.toContain(secret)
  expect(JSON.stringify(await call(rpc, 'txpool_tracked', []))).not.toContain(secret)
  expect(await call(rpc, 'eth_getTransactionByHash', [secret])).toBeNull()

  const journal = scratch.path('transactions.rlp')
  expect((await txpool('journal', 'export', journal)).stdout).toContain('exported 1 to')
  expect((await txpool('drop', hash.slice(0, 12))).stdout).toBe(`dropped ${hash}\n`)
  expect((await txpool('why', hash)).stdout).toContain('Removed by the operator.')
  writeFileSync(journal, Buffer.concat([readFileSync(journal), Buffer.of(0xc5, 1)]))
  const imported = await txpool('journal', 'import', journal)
  expect(imported.code).toBe(1)
  expect(imported.stdout).toMatch(
    /^imported 1, rejected 0, stopped at byte \d+: rlp: unexpected end of file\n$/,
  )
  expect((await txpool('settip', '2000000')).stdout).toBe('the least tip is 2000000 wei\n')
  expect((await txpool('why', hash)).stdout).toMatch(/ dropped tip-below-minimum /)

  await call(rpc, 'devnet_mine', [1])
  const [unknown, ambiguousless, wrong, verb, help] = await Promise.all([
    txpool('why', `0x${'ab'.repeat(32)}`),
    txpool('why', '0xabcdabcd'),
    txpool('why', 'abc'),
    txpool('wy'),
    scratch.rockpool(['txpool', '--help']),
  ])
  const nothing = /^nothing known about 0x[abcd]+ \(the pool remembers 32768 stories/
  expect(unknown.stderr).toMatch(nothing)
  expect(ambiguousless.stderr).toMatch(nothing)
  expect([unknown, ambiguousless, wrong, verb, help].map(({ code }) => code)).toEqual([
    1, 1, 2, 2, 0,
  ])
  expect(help.stdout).toContain('rockpool txpool status')
  expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 60_000)

test('watch says how the pool stands, once for each change, until it is interrupted; a short hash of two is ambiguous', async () => {
  const place = scratch.path('watched')
  const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
  const node = scratch.run(place, flags)
  const { chainId, rpc } = await node.ready()
  const watch = watching(place)
  await until('the first line', () => watch.lines().length === 1)
  // Two whose hashes begin with the same four digits.
  const raws = await Promise.all(
    [
      { nonce: 20, value: 12n },
      { nonce: 21, value: 821n },
    ].map(fields =>
      account.signTransaction({
        ...{ type: 'eip1559', chainId, gas: 21_000n, to: account.address, ...fields },
        ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
      }),
    ),
  )
  const hashes: string[] = []
  for (const raw of raws) hashes.push(await call<string>(rpc, 'eth_sendRawTransaction', [raw]))
  await until('a line with both', () => watch.lines().at(-1)?.includes('queued 2') === true)
  const count = watch.lines().length
  const why = await scratch.rockpool(['txpool', 'why', '0xa167', '--datadir', place])
  const one = await scratch.rockpool([
    ...['txpool', 'why', hashes[0]?.slice(0, 20) ?? '', '--datadir', place],
  ])

  expect(watch.lines()[0]).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}head 0 {2}pending 0 {2}queued 0 {2}slots 0$/,
  )
  expect(watch.lines()).toHaveLength(count)
  expect(why).toMatchObject({ code: 1, stdout: '' })
  expect(why.stderr).toContain('0xa167 is ambiguous; it may be one of')
  for (const hash of hashes) expect(why.stderr).toContain(`  ${hash}`)
  expect(one.stdout).toContain('(20 in all)')
  expect(await watch.interrupt()).toBe('SIGINT')
  expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 60_000)

/** `rockpool txpool watch` in its own process. */
function watching(place: string) {
  const bin = join(checkout, 'apps/node/bin/rockpool.mjs')
  const child = spawn(process.execPath, [bin, 'txpool', 'watch', '--datadir', place], {
    env: { PATH: process.env.PATH, HOME: scratch.path('home'), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  return {
    lines: () => output.split('\n').slice(0, -1),
    /** The signal it ended by. */
    interrupt: () =>
      new Promise<string | null>(resolve => {
        child.once('exit', (_code, signal) => resolve(signal))
        child.kill('SIGINT')
      }),
  }
}
