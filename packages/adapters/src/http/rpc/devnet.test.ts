import { type LinkFaults, type LinkRule, limits, ok } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createTestNode } from '../test-node.ts'

/** A book of rules that does nothing but remember. */
function aBook(): LinkFaults & { resets: string[] } {
  const rules = new Map<string, LinkRule>()
  const resets: string[] = []
  return {
    resets,
    set(rule) {
      rules.set(rule.to, rule)
      return ok(undefined)
    },
    clear: to => (to === undefined ? rules.clear() : void rules.delete(to)),
    reset: to => resets.push(to),
    list: () => [...rules.values()],
  }
}

const names = ['devnet_setLink', 'devnet_links', 'devnet_partition', 'devnet_heal'] as const

test('links have methods only where faults are on', async () => {
  const { call } = await createTestNode()

  for (const name of names)
    expect(await call(name)).toMatchObject({
      error: { code: -32601, message: `the method ${name} does not exist/is not available` },
    })
})

test('a link is set, replaced, and without any fault healed', async () => {
  const links = aBook()
  const { call } = await createTestNode({ links })
  const rule = { to: 'n1', latencyMs: 100, jitterMs: 20, bytesPerSecond: 1_048_576 }

  expect(await call('devnet_setLink', rule)).toMatchObject({ result: [rule] })
  expect(await call('devnet_setLink', { to: 'n1', stall: true, cut: false })).toMatchObject({
    result: [{ to: 'n1', stall: true }],
  })
  expect(await call('devnet_setLink', { to: 'n1', reset: true })).toMatchObject({
    result: [{ to: 'n1', stall: true }],
  })
  expect(links.resets).toEqual(['n1'])
  expect(await call('devnet_setLink', { to: 'n1' })).toMatchObject({ result: [] })
})

test('a partition cuts off exactly those it names and leaves other faults alone', async () => {
  const { call } = await createTestNode({ links: aBook() })
  await call('devnet_setLink', { to: 'n1', latencyMs: 100 })
  await call('devnet_partition', ['n1', 'n2'])

  expect((await call('devnet_partition', ['n2', 'n3'])).result).toEqual([
    { to: 'n1', latencyMs: 100 },
    { to: 'n2', cut: true },
    { to: 'n3', cut: true },
  ])
  expect(await call('devnet_heal', 'n3')).toMatchObject({ result: [{ to: 'n1' }, { to: 'n2' }] })
  expect(await call('devnet_heal')).toMatchObject({ result: [] })
})

test('a link that makes no sense is refused with what is wrong', async () => {
  const { call } = await createTestNode({ links: aBook() })
  const wrong: [unknown, string][] = [
    [{ latencyMs: 1 }, 'Link.to of type string'],
    [{ to: 'n1', latency: 5 }, 'unknown field "latency"'],
    [{ to: 'n1', latencyMs: -1 }, 'latencyMs: a whole number from 0 to 60000'],
    [{ to: 'n1', jitterMs: limits.linkDelayMaxMs + 1 }, 'jitterMs: a whole number'],
    [{ to: 'n1', bytesPerSecond: 0 }, 'bytesPerSecond: a whole number from 1'],
    [{ to: 'n1', stall: 'yes' }, 'Link.stall of type bool'],
    [7, 'devnet.Link'],
  ]

  for (const [wish, message] of wrong)
    expect(await call('devnet_setLink', wish)).toMatchObject({
      error: { code: -32602, message: expect.stringContaining(message) },
    })
  expect(await call('devnet_partition', ['n1', 7])).toMatchObject({ error: { code: -32602 } })
})

test('what no chain of several nodes can do is refused with the reason', async () => {
  const { call } = await createTestNode()

  for (const [name, ...params] of [
    ['evm_mine', 1_800_000_000],
    ['anvil_mine', 2, 5],
    ['anvil_reorg', 2, [['0x00', 0]]],
  ] as const)
    expect(await call(name, ...params)).toMatchObject({
      error: { code: -32_000, message: expect.stringMatching(/^this chain cannot .+: .+/) },
    })
})

test('a reorganisation asked for in the words of anvil is one of ours', async () => {
  const { call, blocks } = await createTestNode()

  expect(await call('anvil_reorg', 1, [])).toEqual({ jsonrpc: '2.0', id: 1, result: null })
  expect(await call('anvil_reorg', blocks.length)).toMatchObject({
    error: { message: 'the chain is only 2 blocks high' },
  })
})

test('blocks are mined in the words of other tools', async () => {
  const { call, blocks } = await createTestNode()

  for (const [name, ...params] of [
    ['evm_mine'],
    ['evm_mine', { blocks: '0x2' }],
    ['anvil_mine', '0x2', '0x0'],
  ] as const)
    expect(await call(name, ...params)).not.toHaveProperty('error')

  expect(blocks).toHaveLength(3 + 1 + 2 + 2)
})

test('the names of other chains are unknown where control is off', async () => {
  const { call } = await createTestNode({ devnetControl: false })

  expect(await call('anvil_reorg', 1)).toMatchObject({ error: { code: -32601 } })
})
