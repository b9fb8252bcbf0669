import { type ActorRef, createTestBus, Probe } from '@rockpool/actor'
import {
  type Added,
  type Address,
  type Answer,
  addressOf,
  type ChainGetAccounts,
  type ChainHead,
  type ChainMessage,
  type Crypto,
  createRecovery,
  devForks,
  encodeSigned,
  failed,
  type Head,
  limits,
  ok,
  type PoolChanged,
  type PoolMessage,
  type SubmissionRules,
  type TxFields,
  type TxOrigin,
  type TxRecord,
  unsignedPayload,
  zeroAddress,
  zeroHash,
} from '@rockpool/protocol'
import fc from 'fast-check'
import { createKeccak } from 'hash-wasm'
import secp256k1 from 'secp256k1'
import { describe, expect, test } from 'vitest'
import { defaultPoolConfig, type PoolConfig } from './config.ts'
import type { PoolAccountView } from './entry.ts'
import { poolActor, poolMailbox } from './pool.actor.ts'
import { addressAt, aHead, anAccount, aTx } from './testing.ts'

describe('adding', () => {
  test('the asker hears first, then everybody hears once of the whole turn', () => {
    const room = aRoom()

    room.add([aTx({ from: 0 }), aTx({ from: 1, nonce: 3 })])
    room.add([aTx({ from: 2 })])
    room.test.run()

    expect(room.answers).toEqual([['pending', 'queued'], ['pending']])
    expect(room.order).toEqual(['answer', 'answer', 'pool.changed'])
    const [fact] = room.facts()
    expect(fact?.added).toHaveLength(3)
    expect(fact?.events).toHaveLength(2)
    expect(fact?.stats).toEqual({ pending: 2, queued: 1, slots: 3 })
    expect(fact?.head).toBe(aHead().hash)
    expect(room.test.letters).toEqual([])
  })

  test('accounts are asked for once per batch, at the head of the pool, and only unknown ones', () => {
    const room = aRoom()
    room.add([aTx({ from: 0 }), aTx({ from: 1 }), aTx({ from: 0, nonce: 1 })])
    room.test.run()
    room.add([aTx({ from: 1, nonce: 1 })])
    room.test.run()

    expect(room.asked).toMatchObject([
      { addresses: [addressAt(0), addressAt(1)], at: { hash: aHead().hash } },
    ])
    expect(room.answers).toEqual([['pending', 'pending', 'pending'], ['pending']])
  })

  test('a turn takes what fits and the next one the rest, a fact each', () => {
    const room = aRoom({ config: { turnMax: 3 } })
    for (let from = 0; from < 7; from++) room.add([aTx({ from })])
    room.test.run()

    expect(room.answers.flat()).toEqual(Array(7).fill('pending'))
    expect(room.facts().map(({ added }) => added.length)).toEqual([3, 3, 1])
  })

  test('a turn applies one operation: a question between two sees the first alone', () => {
    const room = aRoom()
    room.mode = 'hold'
    room.add([aTx({ nonce: 0 })], 'gossip')
    room.test.run()
    room.add([aTx({ nonce: 1 })], 'sync')
    room.test.run()
    room.mode = 'answer'
    room.release()

    expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ pending: 1 })
    expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ pending: 2 })
  })

  test('batches of different origins do not mix', () => {
    const room = aRoom()
    room.add([aTx({ from: 0 })], 'gossip')
    room.add([aTx({ from: 1 })], 'sync')
    room.test.run()

    expect(room.facts().map(({ events }) => events.map(({ origin }) => origin))).toEqual([
      ['gossip'],
      ['sync'],
    ])
  })

  test('what is refused is answered and told to nobody else', () => {
    const room = aRoom()
    room.state.set(addressAt(0), anAccount({ nonce: 5n }))
    room.add([aTx({ nonce: 4 })])
    room.test.run()

    expect(room.answers).toEqual([['pool/nonce-too-low']])
    expect(room.facts()).toEqual([])
  })

  test.each([
    ['does not answer', 'hold'],
    ['has no state', 'missing'],
  ] as const)('while the chain %s adds are answered with a code, and pass later', (_, mode) => {
    const room = aRoom()
    room.mode = mode
    room.add([aTx()])
    room.test.advance(5_000)
    expect(room.answers).toEqual([['pool/state-missing']])

    room.mode = 'answer'
    room.add([aTx()])
    room.test.run()

    expect(room.answers.at(-1)).toEqual(['pending'])
  })

  test('what does not fit in front of the pool is refused whole, the last that fits is not', () => {
    const room = aRoom({ config: { intakeQueue: 64 } })
    room.mode = 'hold'
    room.add([aTx({ from: 99 })])
    room.test.run()
    room.add(Array.from({ length: 64 }, (_, from) => aTx({ from })))
    room.add([aTx({ from: 70 })])
    room.test.run()
    expect(room.answers).toEqual([['actor/busy']])

    room.mode = 'answer'
    room.release()
    room.test.run()

    expect(room.answers.map(list => list.length)).toEqual([1, 1, 64])
    expect(room.answers.flat().filter(code => code === 'pending')).toHaveLength(65)
  })

  test('a full mailbox refuses at the door', () => {
    const room = aRoom()
    let taken = 0
    while (room.pool.offer({ type: 'pool.setGasTip', tip: 1n })) taken++
    expect(taken).toBe(1_024)
  })
})

describe('heads', () => {
  test('a head goes before adds that came earlier', () => {
    const room = aRoom()
    room.add([aTx({ nonce: 0 })])
    room.state.set(addressAt(0), anAccount({ nonce: 1n }))
    room.head(1)
    room.test.run()

    expect(room.answers).toEqual([['pool/nonce-too-low']])
    expect(room.facts().map(({ head }) => head)).toEqual([aHead({ number: 1 }).hash])
  })

  test('an answer serves the head it was asked for: an add under way is judged there, then comes the head', () => {
    const room = aRoom()
    room.mode = 'hold'
    room.add([aTx()])
    room.test.run()
    room.head(1, [aTx()])
    room.mode = 'answer'
    room.release()
    room.state.set(addressAt(0), anAccount({ nonce: 1n }))
    room.test.run()

    expect(room.asked.map(({ at }) => at)).toEqual([
      { hash: aHead().hash },
      { hash: aHead({ number: 1 }).hash },
    ])
    expect(room.answers).toEqual([['pending']])
    expect(room.facts().at(-1)?.dropped).toMatchObject([{ reason: 'mined' }])
  })

  test('heads that come while accounts are fetched collapse to one', () => {
    const room = aRoom()
    room.add([aTx({ nonce: 0 }), aTx({ nonce: 1 }), aTx({ nonce: 2 })])
    room.test.run()
    room.facts()
    room.mode = 'hold'
    room.head(1, [aTx({ nonce: 0 })])
    room.test.run()
    room.head(2, [aTx({ nonce: 1 })])
    room.head(3, [aTx({ nonce: 2 })])
    room.test.run()
    room.mode = 'answer'
    room.state.set(addressAt(0), anAccount({ nonce: 1n }))
    room.release()
    room.state.set(addressAt(0), anAccount({ nonce: 3n }))
    room.test.run()

    const facts = room.facts()
    expect(facts.map(({ head }) => head)).toEqual([1, 3].map(number => aHead({ number }).hash))
    expect(facts.flatMap(({ dropped }) => dropped.map(({ reason }) => reason))).toEqual([
      'mined',
      'mined',
      'mined',
    ])
  })

  test('a head whose state cannot be had is kept, tried again and joined with the next', () => {
    const room = aRoom()
    room.add([aTx()])
    room.test.run()
    room.facts()
    room.mode = 'missing'
    room.head(1, [aTx()])
    room.test.run()
    expect(room.facts()).toEqual([])
    room.add([aTx({ from: 1 })])
    room.test.run()
    expect(room.answers.at(-1)).toEqual(['pool/state-missing'])
    room.mode = 'answer'
    room.state.set(addressAt(0), anAccount({ nonce: 1n }))
    room.test.advance(249)
    expect(room.facts()).toEqual([])

    room.test.advance(1)

    expect(room.facts()).toMatchObject([{ dropped: [{ hash: aTx().hash, reason: 'mined' }] }])
    room.add([aTx({ from: 0, nonce: 1 })])
    room.test.run()
    expect(room.answers.at(-1)).toEqual(['pending'])
  })

  test('blocks that leave bring their transactions back, to be told to everybody', () => {
    const room = aRoom()
    room.head(1, [aTx()])
    room.test.run()
    room.facts()
    room.tell({
      ...room.factOf(1, aHead({ number: 1, branch: 'other' }), []),
      old: aHead({ number: 1 }),
      removed: [room.blockOf(aHead({ number: 1 }), [aTx()])],
    })
    room.test.run()

    expect(room.facts()).toMatchObject([{ events: [{ origin: 'reorg', relayed: false }] }])
  })

  test('blocks that leave because the chain is set back leave an empty pool, once', () => {
    const room = aRoom()
    room.head(1, [aTx()])
    room.add([aTx({ from: 1 }), aTx({ from: 2, nonce: 4 })])
    room.test.run()
    room.facts()
    const setBack = {
      ...room.factOf(1, aHead({ number: 1, branch: 'other' }), []),
      old: aHead({ number: 1 }),
      removed: [room.blockOf(aHead({ number: 1 }), [aTx()])],
    }
    expect(room.ask({ type: 'pool.forget', ancestor: setBack.ancestor.hash })).toBeNull()
    room.tell(setBack)
    room.test.run()

    expect(room.facts().flatMap(({ events }) => events)).toEqual([])
    expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ pending: 0, queued: 0 })
  })

  test('only the block that was named is waited for, and not for ever', () => {
    for (const [name, waitMs] of [
      ['other', 0],
      [undefined, limits.poolForgetMs + 1],
    ] as const) {
      const room = aRoom()
      room.head(1, [aTx()])
      room.test.run()
      const fact = {
        ...room.factOf(1, aHead({ number: 1, branch: 'other' }), []),
        old: aHead({ number: 1 }),
        removed: [room.blockOf(aHead({ number: 1 }), [aTx()])],
      }
      const ancestor = name === undefined ? fact.ancestor.hash : aHead({ branch: name }).hash
      room.ask({ type: 'pool.forget', ancestor })
      room.test.advance(waitMs)
      room.tell(fact)
      room.test.run()

      expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ pending: 1 })
    }
  })

  test('a lost head costs a warning, not the pool: the next one sets everything right', () => {
    const room = aRoom()
    room.add([aTx()])
    room.test.run()
    room.facts()
    room.mode = 'hold'
    room.head(1)
    room.test.run()
    room.head(2)
    room.head(4)
    room.test.run()
    room.mode = 'answer'
    room.release()
    room.state.set(addressAt(0), anAccount({ nonce: 1n }))
    room.test.run()

    expect(room.facts().at(-1)).toMatchObject({
      head: aHead({ number: 4 }).hash,
      dropped: [{ reason: 'nonce-used' }],
    })
    expect(room.test.fatals).toEqual([])
  })

  test('a pool that starts behind its first head takes it all the same', () => {
    const room = aRoom()
    room.tell(room.factOf(5, aHead({ number: 6 }), []))
    room.test.run()
    expect(room.facts()).toMatchObject([{ head: aHead({ number: 6 }).hash }])
  })
})

describe('submitting', () => {
  test('signed bytes are decoded, checked, recovered, added and answered with the hash', async () => {
    const room = aRoom({ keys: await keys() })
    room.fund(1)
    room.submit(1, { nonce: 0n })
    await room.test.settle()

    expect(room.answers).toEqual([['pending']])
    const [fact] = room.facts()
    expect(fact?.events).toMatchObject([{ origin: 'local', relayed: false }])
    const hash = fact?.added[0] ?? zeroHash
    expect(room.ask({ type: 'pool.getTransaction', hash })).toMatchObject({
      half: 'pending',
      origin: 'local',
    })
  })

  test('submissions are answered in the order they came, whatever becomes of them', async () => {
    const room = aRoom({ keys: await keys() })
    room.fund(1)
    room.submitRaw(new Uint8Array([2]))
    room.submit(1, { nonce: 0n })
    room.submit(1, { nonce: 0n })
    room.submit(1, { nonce: 0n, feeCap: 1_050n })
    room.submit(1, { nonce: 2n })
    room.submit(1, { nonce: 1n, gas: 20_000n })
    room.submit(2, { nonce: 0n })
    room.submit(1, { nonce: 1n, chainId: 1n })
    await room.test.settle()

    expect(room.answers.flat()).toEqual([
      'pool/undecodable',
      'pending',
      'pool/known',
      'pool/replacement-underpriced',
      'queued',
      'pool/intrinsic-gas',
      'pool/insufficient-funds',
      'pool/wrong-chain',
    ])
    expect(room.facts()).toHaveLength(1)
    room.submit(1, { nonce: 0n })
    await room.test.settle()
    expect(room.answers.at(-1)).toEqual(['pool/known'])
  })

  test('what the submitter asked to be guarded against is refused, and only then', async () => {
    const room = aRoom({ keys: await keys() })
    room.fund(1)
    const unprotected = { type: 0, chainId: undefined } as const
    room.submit(1, { nonce: 0n, gas: 21_000n, feeCap: 2_000n }, { feeCapWei: 41_999_999n })
    room.submit(1, { nonce: 0n, ...unprotected }, { allowUnprotected: false })
    room.submit(1, { nonce: 0n, gas: 21_000n, feeCap: 2_000n }, { feeCapWei: 42_000_000n })
    room.submit(1, { nonce: 1n, ...unprotected }, { allowUnprotected: true })
    await room.test.settle()

    expect(room.answers.flat()).toEqual([
      'rpc/fee-over-cap',
      'rpc/unprotected',
      'pending',
      'pending',
    ])
  })

  test('a dead recovery worker is our fault and said so; the next try passes', async () => {
    const room = aRoom({ keys: await keys() })
    room.fund(1)
    room.isCrashing = true
    room.submit(1, { nonce: 0n })
    await room.test.settle()
    expect(room.answers).toEqual([['load/internal']])

    room.isCrashing = false
    room.submit(1, { nonce: 0n })
    await room.test.settle()

    expect(room.answers.at(-1)).toEqual(['pending'])
  })

  test('too many submissions are refused as busy, those before are not', async () => {
    const room = aRoom({ keys: await keys(), config: { intakeQueue: 64, turnMax: 1_000 } })
    for (let index = 0; index < 65; index++) room.submitRaw(new Uint8Array([2]))
    await room.test.settle()
    expect(room.answers.flat().filter(code => code === 'actor/busy')).toHaveLength(1)
    expect(room.answers.flat().filter(code => code === 'pool/undecodable')).toHaveLength(64)
  })
})

describe('questions', () => {
  test('the next nonce comes from the pool where it holds the sender, else from the chain at its head', () => {
    const room = aRoom()
    room.state.set(addressAt(5), anAccount({ nonce: 42n }))
    room.add([aTx({ nonce: 0 }), aTx({ nonce: 1 })])
    room.test.run()

    expect(room.ask({ type: 'pool.getNonce', address: addressAt(0) })).toEqual(ok(2n))
    expect(room.ask({ type: 'pool.getNonce', address: addressAt(5) })).toEqual(ok(42n))
    room.mode = 'missing'
    expect(room.ask({ type: 'pool.getNonce', address: addressAt(6) })).toMatchObject({
      code: 'pool/state-missing',
    })
  })

  test('status, content and the best transactions are answered from what is held', () => {
    const room = aRoom()
    room.add([aTx({ from: 0, price: 50 }), aTx({ from: 1, price: 60 }), aTx({ from: 0, nonce: 2 })])
    room.test.run()

    expect(room.ask({ type: 'pool.getStatus' })).toEqual({ pending: 2, queued: 1, slots: 3 })
    expect(room.ask({ type: 'pool.getContent' })).toMatchObject({
      pending: new Map([
        [addressAt(0), [aTx({ from: 0, price: 50 })]],
        [addressAt(1), [aTx({ from: 1, price: 60 })]],
      ]),
    })
    expect(room.ask({ type: 'pool.getContent', from: addressAt(1) })).toMatchObject({
      queued: new Map(),
    })
    const bounds = { gas: 42_000, bytes: 1_000, baseFee: 7n }
    expect(room.ask({ type: 'pool.select', ...bounds })).toEqual([
      aTx({ from: 1, price: 60 }),
      aTx({ from: 0, price: 50 }),
    ])
    expect(room.ask({ type: 'pool.getTransaction', hash: zeroHash })).toBeNull()
  })

  test('a raised minimum tip is told once, with what it dropped', () => {
    const room = aRoom()
    room.add([aTx({ price: 5 })])
    room.test.run()
    room.facts()

    room.tell({ type: 'pool.setGasTip', tip: 6n })
    room.test.run()

    expect(room.facts()).toMatchObject([{ dropped: [{ reason: 'tip-below-minimum' }] }])
  })

  test('queued transactions expire by the beat of a minute', () => {
    const room = aRoom({ config: { lifetimeMs: 60_000 } })
    room.test.advance(30_000)
    room.add([aTx({ nonce: 1 })])
    room.test.advance(60_000)
    expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ queued: 1 })
    room.test.advance(60_000)
    expect(room.ask({ type: 'pool.getStatus' })).toMatchObject({ queued: 0 })
    expect(room.facts().at(-1)).toMatchObject({ dropped: [{ reason: 'expired' }] })
  })
})

describe('whatever the order of things', () => {
  const act = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ add: fc.array(fc.tuple(fc.nat(5), fc.nat(4)), { maxLength: 4 }) }),
    },
    { weight: 2, arbitrary: fc.constant({ head: true }) },
    fc.record({ mode: fc.constantFrom('answer' as const, 'hold' as const, 'missing' as const) }),
    fc.record({ pass: fc.constantFrom(1, 250, 5_000) }),
    fc.constant({ run: true }),
  )

  test('every add is answered once, in the order they came, no head is lost and nobody hears of a head twice', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), acts => {
        const room = aRoom({ config: { turnMax: 4 } })
        const sizes: number[] = []
        let height = 0
        for (const step of acts) {
          if ('add' in step) {
            sizes.push(step.add.length)
            room.add(step.add.map(([from, nonce]) => aTx({ from, nonce, salt: sizes.length })))
          } else if ('head' in step) room.head(++height)
          else if ('mode' in step) {
            room.mode = step.mode
            if (step.mode !== 'hold') room.release()
          } else if ('pass' in step) room.test.advance(step.pass)
          else room.test.run()
        }
        room.mode = 'answer'
        room.release()
        room.test.advance(60_000)

        expect(room.answers.map(list => list.length)).toEqual(sizes)
        const heads = room.facts().map(({ head }) => head)
        const heights = Array.from({ length: height + 1 }, (_, number) => aHead({ number }).hash)
        const numbers = heads.map(head => heights.indexOf(head))
        expect(numbers).toEqual([...numbers].sort((left, right) => left - right))
        expect(room.ask({ type: 'pool.getNonce', address: addressAt(90) })).toEqual(ok(0n))
        expect(room.asked.at(-1)?.at).toEqual({ hash: heights[height] })
        // The only letters are answers of the chain that came after the pool had given up on them.
        expect(
          room.test.letters.every(({ reason }) => reason === 'late-reply' || reason === 'expired'),
        ).toBe(true)
        expect(room.test.fatals).toEqual([])
        expect(room.test.bus.balanced()).toBe(true)
      }),
      { numRuns: 120 },
    )
  })
})

interface Keys {
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
}

async function keys(): Promise<Keys> {
  const hasher = await createKeccak(256)
  return { keccak256: bytes => hasher.init().update(bytes).digest('binary') }
}

type Question =
  Extract<
    PoolMessage,
    { type: `pool.get${string}` | 'pool.select' | 'pool.forget' }
  > extends infer Q
    ? Q extends PoolMessage
      ? Omit<Q, 'reply'>
      : never
    : never

/** A pool among probes: a chain that knows accounts and may hold its answers, and a listener for facts. */
function aRoom({ config, keys }: { config?: Partial<PoolConfig>; keys?: Keys } = {}) {
  const testBus = createTestBus({ wiring: { 'pool.changed': ['listener'] } })
  const { bus } = testBus
  const room = {
    test: testBus,
    mode: 'answer' as 'answer' | 'hold' | 'missing',
    isCrashing: false,
    state: new Map<Address, PoolAccountView>(),
    asked: [] as ChainGetAccounts[],
    held: [] as ChainGetAccounts[],
    /** Codes or halves, by answer. */
    answers: [] as string[][],
    order: [] as string[],
    pool: undefined as unknown as ActorRef<PoolMessage>,
    tell: (message: PoolMessage) => room.pool.tell(message),
    add: (txs: readonly TxRecord[], origin: TxOrigin = 'gossip') =>
      room.tell({ type: 'pool.add', txs, origin, reply: { tell: results => note(results) } }),
    submitRaw: (raw: Uint8Array, rules: SubmissionRules = {}) =>
      room.tell({ type: 'pool.submit', raw, ...rules, reply: { tell: result => note([result]) } }),
    submit: (key: number, fields: Partial<TxFields>, rules?: SubmissionRules) =>
      room.submitRaw(signed(key, fields), rules),
    fund: (key: number) => room.state.set(senderOf(key), anAccount()),
    release: () => {
      for (const question of room.held.splice(0)) answer(question)
    },
    facts: () => listener.take(),
    ask: (question: Question): unknown => {
      let answered: unknown
      const reply = { tell: (value: unknown) => void (answered = value) }
      room.tell({ ...question, reply } as PoolMessage)
      testBus.run()
      return answered
    },
    blockOf,
    factOf,
    head: (number: number, txs: readonly TxRecord[] = []) =>
      room.tell(factOf(number - 1, aHead({ number }), txs)),
  }

  function note(results: readonly Answer<Added>[]): void {
    room.order.push('answer')
    room.answers.push(results.map(result => (result.ok ? result.value.half : result.code)))
  }

  function answer({ addresses, at, reply }: ChainGetAccounts): void {
    if (room.mode === 'missing') return reply.tell(failed('chain/state-missing'))
    const hash = at !== undefined && 'hash' in at ? at.hash : zeroHash
    const accounts = addresses.map(address => ({
      ...(room.state.get(address) ??
        (keys === undefined ? anAccount() : anAccount({ balance: 0n }))),
      delegation: null,
    }))
    reply.tell(ok({ at: aHead({ hash }), accounts }))
  }

  const chain = new Probe<ChainMessage>(bus, 'chain', message => {
    if (message.type !== 'chain.getAccounts') return
    room.asked.push(message)
    if (room.mode === 'hold') room.held.push(message)
    else answer(message)
  })
  const listener = new Probe<PoolChanged>(bus, 'listener', ({ type }) => room.order.push(type))
  const keccak256 = keys?.keccak256 ?? (() => new Uint8Array(32))
  const recovery = createRecovery(cryptoOf(keccak256, room), 1337n)
  room.pool = bus.declare<PoolMessage>('pool', poolMailbox)
  bus.spawn(
    room.pool,
    poolActor({
      config: { ...defaultPoolConfig, ...config },
      chain: chain.ref,
      recovery,
      keccak256,
      forks: devForks,
      chainId: 1337n,
      start: aHead(),
    }),
  )
  return room

  function senderOf(key: number): Address {
    const point = secp256k1.publicKeyCreate(secretOf(key), false)
    return addressOf(keccak256(point.slice(1)).slice(12))
  }

  function signed(key: number, wish: Partial<TxFields>): Uint8Array {
    const fields: TxFields = {
      type: 2,
      chainId: 1337n,
      nonce: 0n,
      feeCap: 1_000n,
      tip: 10n,
      gas: 21_000n,
      to: zeroAddress,
      value: 100n,
      ...wish,
    }
    const { signature, recid } = secp256k1.ecdsaSign(
      keccak256(unsignedPayload(fields)),
      secretOf(key),
    )
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    return encodeSigned(fields, { r, s, yParity: recid === 0 ? 0 : 1 })
  }
}

function secretOf(key: number): Uint8Array {
  const secret = new Uint8Array(32)
  secret[31] = key
  return secret
}

/** Recovery in the calling thread, or a dead worker. */
function cryptoOf(keccak256: Crypto['keccak256'], room: { readonly isCrashing: boolean }): Crypto {
  return {
    backend: 'native',
    workers: 0,
    keccak256,
    sha256: keccak256,
    recover: async batch => {
      if (room.isCrashing) throw Object.assign(new Error('worker died'), { code: 'crypto/crashed' })
      return batch.map(({ digest, r, s, id }) => {
        const point = secp256k1.ecdsaRecover(new Uint8Array([...r, ...s]), id, digest, false)
        return addressOf(keccak256(point.slice(1)).slice(12))
      })
    },
  }
}

function factOf(oldNumber: number, next: Head, txs: readonly TxRecord[]): ChainHead {
  const old = aHead({ number: oldNumber })
  return {
    type: 'chain.head',
    old,
    new: next,
    ancestor: { hash: old.hash, number: old.number },
    removed: [],
    added: [blockOf(next, txs)],
  }
}

function blockOf(head: Head, txs: readonly TxRecord[]) {
  const header = {
    ...head,
    producer: zeroAddress,
    stateRoot: zeroHash,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    extraData: new Uint8Array(0),
  }
  return { header, txs, seal: new Uint8Array(0), size: 0 }
}
