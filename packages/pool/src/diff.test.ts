import type { Explanation, PoolDiff, PoolMessage } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import type { PoolConfig } from './config.ts'
import { createLocalRoom, createWallets, type LocalRoom } from './local-room.ts'

const wallets = await createWallets()

const question = <R>(room: LocalRoom, message: Record<string, unknown>): R =>
  room.ask<R>(reply => ({ ...message, reply }) as unknown as PoolMessage)

const diff = (room: LocalRoom, since: number, all = false): PoolDiff =>
  question(room, { type: 'pool.getDiff', since, ...(all && { all }) })

async function aRoom(config: Partial<PoolConfig> = {}) {
  const room = createLocalRoom({ wallets, config })
  const submit = async (raws: readonly Uint8Array[], isPrivate = false) => {
    for (const raw of raws) room.submit(raw, isPrivate)
    await room.test.settle()
  }
  await submit([])
  return { room, submit }
}

test('what is elsewhere than it was: come, gone with its reason, moved; what came and went is not in it', async () => {
  const { room, submit } = await aRoom()
  const [first, third] = [wallets.sign(0), wallets.sign(0, { nonce: 2n })]
  await submit([first, third])
  const since = diff(room, 0).until
  const second = wallets.sign(0, { nonce: 1n })
  const [brief, better] = [wallets.sign(1), wallets.sign(1, { feeCap: 2_000n, tip: 20n })]
  await submit([second, brief, better])
  room.mine(
    room.pending().filter(({ nonce, sender }) => nonce === 0n && sender === wallets.address(0)),
  )
  await room.test.settle()

  const { changes, complete } = diff(room, since)
  const brieflyHere = changes.find(({ hash }) => hash === wallets.hashOf(brief))
  expect(complete).toBe(true)
  expect(brieflyHere).toBeUndefined()
  expect(changes).toHaveLength(4)
  expect(changes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        hash: wallets.hashOf(first),
        before: 'pending',
        now: 'absent',
        reason: 'mined',
      }),
      expect.objectContaining({ hash: wallets.hashOf(third), before: 'queued', now: 'pending' }),
      expect.objectContaining({
        hash: wallets.hashOf(second),
        before: 'absent',
        now: 'pending',
        nonce: 1n,
      }),
      expect.objectContaining({
        hash: wallets.hashOf(better),
        before: 'absent',
        from: wallets.address(1),
      }),
    ]),
  )
  expect(diff(room, diff(room, since).until).changes).toEqual([])
})

test('the cause of an event is a place to begin at', async () => {
  const { room, submit } = await aRoom()
  await submit([wallets.sign(0)])
  const subject = wallets.hashOf(wallets.sign(0))
  const { story } = question<Explanation>(room, { type: 'pool.explain', subject })
  const cause = story.at(-1)?.cause ?? 0

  expect(diff(room, cause).changes).toEqual([])
  expect(diff(room, cause - 1).changes).toMatchObject([{ hash: subject, now: 'pending' }])
})

test('private ones are the operator’s alone', async () => {
  const { room, submit } = await aRoom()
  await submit([wallets.sign(0)], true)

  expect(diff(room, 0).changes).toEqual([])
  expect(diff(room, 0, true).changes).toHaveLength(1)
})

test('says that it is not all when something of it is forgotten', async () => {
  const { room, submit } = await aRoom({ stories: 8 })
  await submit([wallets.sign(9)])
  const since = diff(room, 0).until
  for (let key = 0; key < 6; key++) await submit([wallets.sign(key, { tip: 0n })])

  expect(diff(room, since)).toMatchObject({ complete: false, changes: [] })
  expect(diff(room, diff(room, 0).until).complete).toBe(true)
})

test('what a block took and gave back was pending in between, and is where it was', async () => {
  const { room, submit } = await aRoom()
  await submit([wallets.sign(0)])
  const [tx] = room.pending()
  if (tx === undefined) throw new Error('the pool has it')
  const start = diff(room, 0).until
  room.mine([tx])
  await room.test.settle()
  const mined = diff(room, 0).until
  room.reorg([tx])
  await room.test.settle()
  const back = diff(room, 0).until

  expect(diff(room, start).changes).toEqual([])
  expect(diff(room, mined).changes).toMatchObject([{ before: 'absent', now: 'pending' }])
  room.mine([tx])
  await room.test.settle()
  expect(diff(room, back).changes).toMatchObject([{ before: 'pending', now: 'absent' }])
})
