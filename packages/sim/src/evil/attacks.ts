import type { WorldView } from '../api.ts'
import type { Attack, PlanArgs } from '../plan.ts'
import { equivocate } from './equivocator.ts'
import { evilPurse, futureBatch, invalidBatch, sayAgain } from './spam.ts'
import { createVoice, type Voice } from './voice.ts'

/** Neighbours an evil node looks for. */
const neighbours = 4
const enterMs = 500
const invalidEveryMs = 400
const floodEveryMs = 1_000
const replayEveryMs = 200
/** Ids of one eclipse, all on one address. */
const crowd = 12
const lookEveryMs = 5_000

/** One attack from its begin to its end. */
interface Raid {
  readonly node: number
  readonly voice: Voice
  readonly untilMs: number
  /** For names of further ids. */
  readonly number: number
}

/**
 * The evil nodes of a world. Each is a script on the wire that behaves until a plan has it attack. Every attack is bounded in time and rate:
 * what is tested is judgement, not the capacity of the simulation. Those that `takes` refuses are left to somebody else.
 */
export function attacks(
  world: WorldView,
  takes: (node: number) => boolean = () => true,
): (args: PlanArgs['attack']) => void {
  const { names } = world
  const rng = world.fork('evil')
  const purse = evilPurse(world)
  const voices = new Map<number, Voice>()
  const honest = world.nodes.flatMap(({ isEvil, index }) => (isEvil ? [] : [index]))
  let raids = 0

  for (const { isEvil, index } of world.nodes) {
    if (!isEvil || !takes(index)) continue
    const voice = createVoice(world, world.wire(index))
    voices.set(index, voice)
    world.at(enterMs, `evil n${index}`, () => {
      voice.enter(rng.shuffle(honest).slice(0, neighbours))
      look(voice)
    })
  }

  /** Keeps itself connected, as far as others let it. */
  function look(voice: Voice): void {
    if (voice.peers.size < 2) voice.dial(rng.pick(honest) ?? 0)
    if (world.nowMs + lookEveryMs < world.endMs) {
      world.at(world.nowMs + lookEveryMs, 'evil looks', () => look(voice))
    }
  }

  /** Again and again until the raid is over. */
  function repeat(raid: Raid, everyMs: number, act: () => void, untilMs = raid.untilMs): void {
    if (world.nowMs >= untilMs) return
    act()
    world.at(world.nowMs + everyMs, `evil n${raid.node}`, () => repeat(raid, everyMs, act, untilMs))
  }

  function later(ms: number, act: () => void): void {
    world.at(world.nowMs + ms, 'evil', act)
  }

  function spam(raid: Raid, voice = raid.voice, untilMs = raid.untilMs): void {
    repeat(raid, invalidEveryMs, () => voice.publish(names.tx, invalidBatch(purse)), untilMs)
  }

  /** One more id on the address of the evil node, connected to these nodes. */
  function another(raid: Raid, name: string, nodes: readonly number[]): Voice {
    const { ip } = raid.voice.wire
    const voice = createVoice(world, world.join(`${name}-${raid.number}`, ip))
    voice.enter(nodes)
    return voice
  }

  const raidsOf: Record<Attack, (raid: Raid) => void> = {
    'invalid-tx': raid => spam(raid),
    'future-flood': raid =>
      repeat(raid, floodEveryMs, () => raid.voice.publish(names.tx, futureBatch(purse))),
    replay: raid => repeat(raid, replayEveryMs, () => sayAgain(raid.voice, rng, world)),
    withhold: ({ voice, untilMs }) => {
      voice.setRelays(false)
      later(untilMs - world.nowMs, () => voice.setRelays(true))
    },
    eclipse: raid => {
      const victim = rng.pick(honest) ?? 0
      const ids = Array.from({ length: crowd }, (_, id) => another(raid, `shade${id}`, [victim]))
      for (const voice of ids) voice.setRelays(false)
      later(raid.untilMs - world.nowMs, () => {
        for (const voice of ids) voice.vanish()
      })
    },
    // Being first with what others will relay anyway earns score; half the time for that, half for what it buys.
    'score-farming': raid => {
      const half = world.nowMs + (raid.untilMs - world.nowMs) / 2
      const stop = raid.voice.onHeard(({ topic, bytes }) => raid.voice.pushAll(topic, bytes))
      later(half - world.nowMs, () => {
        stop()
        spam(raid)
      })
    },
    equivocate: ({ node, voice, untilMs }) => {
      const { sealer: address } = world.nodes[node] ?? {}
      if (address === undefined) return
      const wire = world.wire(node)
      const stop = equivocate(world, voice, { address, seal: digest => wire.seal(digest) })
      later(untilMs - world.nowMs, stop)
    },
    reconnect: raid => {
      const stop = raid.voice.onParting(peer => {
        const node = world.nodes.findIndex(other => other.peer === peer)
        if (node !== -1) later(100, () => raid.voice.dial(node))
      })
      later(raid.untilMs - world.nowMs, stop)
      spam(raid)
    },
    'new-id': raid => {
      let count = 0
      const renew = (): void => {
        const left = raid.untilMs - world.nowMs
        if (left <= 0) return
        const voice = another(raid, `mask${count}`, rng.shuffle(honest).slice(0, neighbours))
        count += 1
        const lifeMs = Math.min(left, lookEveryMs)
        later(1_000, () => spam(raid, voice, world.nowMs + lifeMs - 1_000))
        later(lifeMs, () => {
          voice.vanish()
          renew()
        })
      }
      renew()
    },
  }

  return ([node, attack, ms]) => {
    const voice = voices.get(node)
    if (voice === undefined) return
    raids += 1
    world.sometimes(`evil/${attack}`)
    raidsOf[attack]({ node, voice, untilMs: world.nowMs + ms, number: raids })
  }
}
