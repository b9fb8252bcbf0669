import { readFileSync, writeFileSync } from 'node:fs'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call } from '../testkit/devnet.ts'
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
  expect((await txpool('why', hash)).stdout).toContain(
    'The minimum tip was raised above its own.'.slice(4),
  )

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
