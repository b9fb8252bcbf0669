import type { PeerId } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createRotation, type PeerManager, type RotationParts } from './rotation.ts'

const unexpected = (what: string) => (): never => {
  throw new Error(`nobody expected ${what}`)
}

interface Scene {
  /** What `peers()` answers, one list after the other; the last one stays. */
  readonly lists: readonly (readonly PeerId[])[]
  readonly manager?: Partial<PeerManager>
  readonly perTick?: RotationParts['perTick']
}

/** A rotation at 10 s over strict fakes: what a claim does not name must not be called. */
function scene({ lists, manager = {}, perTick = 1 }: Scene) {
  const calls: string[] = []
  let asked = 0
  const spied = <A extends unknown[], R>(name: string, run: (...args: A) => R) => {
    return (...args: A): R => {
      calls.push([name, ...args].join(' '))
      return run(...args)
    }
  }
  const { tick } = createRotation({
    manager: {
      peers: spied(
        'peers',
        manager.peers ?? (() => lists[Math.min(asked++, lists.length - 1)] ?? []),
      ),
      score: spied('score', manager.score ?? (() => 0)),
      isStatic: spied('isStatic', manager.isStatic ?? unexpected('isStatic')),
      ban: spied('ban', manager.ban ?? unexpected('ban')),
    },
    wallNow: () => 10_000,
    minScore: -100,
    banMs: 7_200_000,
    perTick,
  })
  const ticks = (count: number) => Array.from({ length: count }, tick).flat()
  return { calls, tick, ticks, kinds: (count: number) => ticks(count).map(({ kind }) => kind) }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`)
const notStatic = () => false

test('M2: a step that fails does not stop the next five', () => {
  const boom = () => {
    throw new Error('boom')
  }
  const { kinds } = scene({ lists: [['a']], manager: { score: boom } })

  expect(kinds(6)).toEqual(Array(6).fill('error'))
})

test('M3: without peers the list is asked for once a tick, and nothing fails', () => {
  const { kinds, calls } = scene({ lists: [[]] })

  expect(kinds(3)).toEqual(['idle', 'idle', 'idle'])
  expect(calls).toEqual(['peers', 'peers', 'peers'])
})

test('M4: healthy peers are scored once each, the list is asked for once a round, static is not asked', () => {
  const { kinds, calls } = scene({ lists: [names(3), names(4)] })

  expect(kinds(7)).toEqual(Array(7).fill('healthy'))
  expect(calls.join()).toBe(
    'peers,score p0,score p1,score p2,peers,score p0,score p1,score p2,score p3',
  )
})

test('M5: a score of -101 is banned once, for two hours from now', () => {
  const manager = { score: () => -101, isStatic: notStatic, ban() {} }
  const { kinds, calls } = scene({ lists: [['a'], []], manager })

  expect(kinds(2)).toEqual(['banned', 'idle'])
  expect(calls.filter(call => call.startsWith('ban'))).toEqual(['ban a 7210000'])
})

test('M6: a static peer at -101 is not banned', () => {
  const { kinds } = scene({ lists: [['a']], manager: { score: () => -101, isStatic: () => true } })

  expect(kinds(1)).toEqual(['kept'])
})

test('M7: -100 is kept, -100.0001 is banned', () => {
  const score = (id: PeerId) => (id === 'p0' ? -100 : -100.0001)
  const manager = { score, isStatic: notStatic, ban() {} }
  const { kinds } = scene({ lists: [names(2)], manager })

  expect(kinds(2)).toEqual(['healthy', 'banned'])
})

test('M8: a score that fails costs the peer its turn and is asked for again in the next round', () => {
  const score = (id: PeerId) => {
    if (id === 'p0') throw new Error('gone')
    return 0
  }
  const { ticks, calls } = scene({ lists: [names(2)], manager: { score } })

  const [first, second, third] = ticks(3)

  expect(first).toMatchObject({ kind: 'error', text: 'retrieve score for peer p0: gone' })
  expect([second?.kind, third?.kind]).toEqual(['healthy', 'error'])
  expect(calls).toEqual(['peers', 'score p0', 'score p1', 'peers', 'score p0'])
})

test('M9: a ban that fails is told, and the next tick takes the next peer', () => {
  const ban = () => {
    throw new Error('no room')
  }
  const score = (id: PeerId) => (id === 'p0' ? -200 : 0)
  const { ticks } = scene({ lists: [names(2)], manager: { score, isStatic: notStatic, ban } })

  expect(ticks(2)).toMatchObject([
    { kind: 'error', text: 'banning peer p0: no room' },
    { kind: 'healthy', peer: 'p1' },
  ])
})

test('M10: a list that became shorter than the index begins anew', () => {
  const { ticks, calls } = scene({ lists: [names(3), names(1)] })

  ticks(5)

  expect(calls.slice(4)).toEqual(['peers', 'score p0', 'peers', 'score p0'])
})

test('M11: a peer that left after the list was taken is judged all the same', () => {
  const manager = { score: (id: PeerId) => (id === 'p1' ? -150 : 0), isStatic: notStatic, ban() {} }
  const { ticks } = scene({ lists: [names(2), names(1)], manager })

  expect(ticks(2)).toMatchObject([{ kind: 'healthy' }, { kind: 'banned', peer: 'p1' }])
})

test('M13: a thrown value that is no error is told and survived', () => {
  const score = () => {
    throw 'words'
  }
  const { ticks } = scene({ lists: [['a']], manager: { score } })

  expect(ticks(2)).toMatchObject(Array(2).fill({ text: 'retrieve score for peer a: words' }))
})

test('M14: a peer that joins in the middle of a round is judged after the next list', () => {
  const { ticks } = scene({ lists: [names(2), [...names(2), 'late']] })

  expect(ticks(5).at(-1)).toMatchObject({ kind: 'healthy', peer: 'late' })
})

test('M15: a list that cannot be had is told, and asked for again in the next tick', () => {
  const peers = () => {
    throw new Error('closed')
  }
  const { ticks, calls } = scene({ lists: [], manager: { peers } })

  expect(ticks(2)).toMatchObject(Array(2).fill({ kind: 'error', text: 'list peers: closed' }))
  expect(calls).toEqual(['peers', 'peers'])
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'M16: a score of %s is an error and bans nobody',
  value => {
    const { kinds } = scene({ lists: [['a']], manager: { score: () => value } })

    expect(kinds(1)).toEqual(['error'])
  },
)

test('M18: with three a tick seven peers take 3, 3 and 1, and the fourth tick begins a new list', () => {
  const { tick, calls } = scene({ lists: [names(7)], perTick: 3 })

  expect([tick(), tick(), tick(), tick()].map(({ length }) => length)).toEqual([3, 3, 1, 3])
  expect(calls.filter(call => call === 'peers')).toHaveLength(2)
  expect(calls.slice(1, 8)).toEqual(names(7).map(name => `score ${name}`))
})

test('M19: a round of N peers takes N ticks; with auto a hundred take 25', () => {
  const rounds = (perTick: RotationParts['perTick'], count: number) => {
    const { tick, calls } = scene({ lists: [names(count)], perTick })
    let ticks = 0
    do {
      tick()
      ticks += 1
    } while (calls.filter(call => call === 'peers').length < 2)
    return ticks - 1
  }

  expect([rounds(1, 12), rounds('auto', 12), rounds('auto', 100)]).toEqual([12, 12, 25])
})
