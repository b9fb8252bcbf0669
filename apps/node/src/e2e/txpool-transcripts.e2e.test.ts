import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/*
 * What a shell sees of the pool: every method about it, asked with curl, question and answer as they go over the wire. A change of either is a
 * change of what callers rely on, and shows in `transcripts/`.
 */

const scratch = createScratch()
const datadir = scratch.path('node')
const run = promisify(execFile)
/** Of the well-known test mnemonic: the first has money, the last is nobody. */
const alice = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)
const pauper = privateKeyToAccount(`0x${'5a'.repeat(32)}`)
const other = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const nobody = `0x${'ab'.repeat(32)}`
const gwei = 1_000_000_000n

afterAll(() => scratch.close())

/** Of another value at each run: what a block's time decides, and when things happened. */
const volatileKeys = new Set([
  ...['at', 'since', 'until', 'beat', 'expires', 'cause', 'lastTry', 'oldestMs'],
  ...['blockHash', 'blockTimestamp', 'timestamp'],
])

function masked(value: unknown, key = ''): unknown {
  if (volatileKeys.has(key) && value !== null) return `<${key}>`
  if (Array.isArray(value)) return value.map(each => masked(each))
  if (typeof value !== 'object' || value === null) return value
  const isHead = key === 'head'
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isHead && name === 'hash' ? '<head>' : masked(item, name),
    ]),
  )
}

class Session {
  readonly lines: string[] = []
  private readonly args: readonly string[]

  constructor(args: readonly string[]) {
    this.args = args
  }

  /** Asks, writes both down, and gives the result. `mask` stands for a result that differs each time, and in later questions for that. */
  async ask(method: string, params: readonly unknown[] = [], mask?: string): Promise<unknown> {
    const question = { jsonrpc: '2.0', id: 1, method, params }
    const body = JSON.stringify(question)
    const header = 'content-type: application/json'
    const { stdout } = await run('curl', ['-sS', '-H', header, '--data', body, ...this.args])
    const answer = JSON.parse(stdout) as { result?: unknown }
    const shown = mask === undefined ? masked(answer) : { ...answer, result: mask }
    this.lines.push(`> ${body}`, `< ${JSON.stringify(shown)}`)
    return answer.result
  }

  get text(): string {
    return `${this.lines.join('\n')}\n`
  }
}

test('every method about the pool answers curl as it did', async () => {
  const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
  const node = scratch.run(datadir, flags)
  const { rpc, chainId } = await node.ready()
  const session = new Session([rpc])
  const sign = (
    nonce: number,
    fields: { fee?: bigint; tip?: bigint; value?: bigint; from?: typeof alice } = {},
  ) =>
    (fields.from ?? alice).signTransaction({
      ...{ type: 'eip1559', chainId, nonce, gas: 21_000n, value: fields.value ?? 1n, to: other },
      ...{
        maxFeePerGas: (fields.fee ?? 3n) * gwei,
        maxPriorityFeePerGas: fields.tip ?? 1_000_000n,
      },
    })
  const send = async (raw: string) => String(await session.ask('eth_sendRawTransaction', [raw]))

  for (const method of ['txpool_status', 'txpool_content', 'txpool_inspect', 'txpool_tracked'])
    await session.ask(method)
  const filter = await session.ask('eth_newPendingTransactionFilter', [], '<filter>')
  const first = await send(await sign(0))
  const gapped = await send(await sign(2))
  await send(await sign(0))
  await send(await sign(0, { tip: 1_000_001n }))
  await send(await sign(0, { from: pauper }))
  await send(await sign(1, { value: 1n << 100n }))
  await send('0x02c0')
  await send('0x')
  await session.ask('eth_sendRawTransaction', [])
  await session.ask('txpool_sendRaw', [await sign(0), { idempotent: true }])
  await session.ask('txpool_sendRaw', [await sign(5), { private: true }])
  await session.ask('txpool_sendRaw', [await sign(6), { secret: true }])
  const better = await session.ask('txpool_sendRaw', [await sign(2, { fee: 6n, tip: 2_000_000n })])
  expect(better).toMatchObject({ replaced: gapped })
  await session.ask('eth_sendRawTransactionSync', [await sign(7), '0x1'])
  for (const method of ['txpool_status', 'txpool_content', 'txpool_inspect', 'txpool_tracked'])
    await session.ask(method)
  await session.ask('txpool_contentFrom', [alice.address])
  await session.ask('txpool_contentFrom', [pauper.address])
  await session.ask('txpool_contentFrom', ['0x12'])
  for (const subject of [first, gapped, alice.address, nobody, '0x12'])
    await session.ask('txpool_explain', [subject])
  await session.ask('eth_getTransactionByHash', [first])
  await session.ask('eth_getRawTransactionByHash', [first])
  await session.ask('eth_getTransactionByHash', [nobody])
  await session.ask('eth_getTransactionCount', [alice.address, 'pending'])
  await session.ask('eth_getTransactionCount', [alice.address, 'latest'])
  await session.ask('eth_pendingTransactions')
  const changes = await session.ask('eth_getFilterChanges', [filter])
  expect(changes).toEqual([first])
  await session.ask('txpool_subscribe', ['events'])
  await session.ask('txpool_drop', [first])
  await session.ask('devnet_mine', [1], '<hashes>')
  const mined = await call<{ hash: string }>(rpc, 'eth_getBlockByNumber', ['latest', false])
  await session.ask('txpool_status')
  await session.ask('txpool_explain', [first])
  await send(await sign(0))
  for (const method of ['eth_gasPrice', 'eth_maxPriorityFeePerGas', 'txpool_info'])
    await session.ask(method)
  await session.ask('eth_feeHistory', ['0x2', 'latest', [10, 90]])
  await session.ask('eth_feeHistory', ['0x2', 'latest', [90, 10]])

  const text = session.text.replaceAll(String(filter), '<filter>').replaceAll(mined.hash, '<block>')
  await expect(text).toMatchFileSnapshot('transcripts/txpool.txt')
  expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 60_000)
