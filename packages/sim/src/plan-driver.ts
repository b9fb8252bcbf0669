import type { Driver, WorldView } from './api.ts'
import type { Plan, PlanArgs, PlanKind } from './plan.ts'

/** Who does what a plan says. Each kind is one function of its arguments; faults of links and disks end by themselves. */
type Deeds = { readonly [K in PlanKind]: (args: PlanArgs[K]) => void }
/** What is not done by the world's own faults. */
export type WorkDeeds = Pick<Deeds, 'tx' | 'appoint' | 'attack'>

/** Carries a plan out: faults by the world itself, transactions and attacks by `work`. */
export function planDriver(plan: Plan, work: (world: WorldView) => WorkDeeds): Driver {
  return world => {
    const deeds: Deeds = { ...chaosOf(world), ...work(world) }
    for (const [atMs, kind, args] of plan) {
      const act = deeds[kind] as (args: PlanArgs[PlanKind]) => void
      world.at(atMs, `${kind} ${args.join(' ')}`, () => act(args))
    }
  }
}

function chaosOf(world: WorldView): Omit<Deeds, keyof WorkDeeds> {
  const { faults } = world
  const after = (ms: number, what: string, act: () => void) =>
    world.at(world.nowMs + ms, what, () => {
      // By then everything is mended, and a second mend would end what a book or a scenario did since.
      if (world.nowMs < world.healMs) act()
    })
  const cuts = overlapping((key, isOn) => {
    const [from = 0, to = 0] = key.split('>').map(Number)
    if (isOn) faults.cut(from, to)
    else faults.mend(from, to)
  })
  const fullDisks = overlapping((key, isOn) => faults.diskFull(Number(key), isOn))

  function startWhenDown(node: number): void {
    if (world.nodes[node]?.running === undefined) return faults.start(node)
    // It still drains.
    world.at(world.nowMs + 500, `start n${node}`, () => startWhenDown(node))
  }

  return {
    clog: ([from, to, ms]) => faults.clog(from, to, ms),
    partition: ([side, ms, symmetric]) => {
      const rest = world.nodes.map(node => node.index).filter(index => !side.includes(index))
      const links = side.flatMap(a =>
        rest.flatMap(b => (symmetric ? [`${a}>${b}`, `${b}>${a}`] : [`${a}>${b}`])),
      )
      for (const link of links) cuts.begin(link)
      after(ms, `mend ${side.join(' ')}`, () => {
        for (const link of links) cuts.end(link)
      })
    },
    reset: ([a, b]) => faults.reset(a, b),
    duplicate: ([node]) => faults.duplicate(node),
    slowReader: ([node, bytesPerSecond, ms]) => {
      faults.slowReader(node, bytesPerSecond)
      after(ms, `reads n${node}`, () => faults.slowReader(node, undefined))
    },
    narrow: ([from, to, bytesPerSecond, ms]) => {
      faults.bandwidth(from, to, bytesPerSecond)
      after(ms, `widens ${from} ${to}`, () => faults.bandwidth(from, to, undefined))
    },
    dialFailure: ([node, chance, ms]) => {
      faults.dialFailure(node, chance)
      after(ms, `dials n${node}`, () => faults.dialFailure(node, 0))
    },
    crash: ([node, downMs]) => faults.restart(node, downMs),
    stop: ([node, downMs]) => {
      faults.stop(node)
      world.at(world.nowMs + downMs, `start n${node}`, () => startWhenDown(node))
    },
    diskFull: ([node, ms]) => {
      fullDisks.begin(String(node))
      after(ms, `disk n${node}`, () => fullDisks.end(String(node)))
    },
    pause: ([node, ms]) => {
      faults.pause(node)
      world.at(world.nowMs + ms, `goes on n${node}`, () => faults.resume(node))
    },
    jump: ([node, ms, whileMs]) => {
      faults.wall(node, ms)
      world.at(world.nowMs + whileMs, `clock of n${node}`, () => faults.wall(node, -ms))
    },
    reorg: ([depth]) => faults.reorg(depth),
  }
}

/** A fault that several events hold at once ends with the last of them. */
function overlapping(set: (key: string, isOn: boolean) => void) {
  const holders = new Map<string, number>()
  return {
    begin(key: string): void {
      const held = holders.get(key) ?? 0
      holders.set(key, held + 1)
      if (held === 0) set(key, true)
    },
    end(key: string): void {
      const held = holders.get(key) ?? 0
      if (held > 1) holders.set(key, held - 1)
      else if (holders.delete(key)) set(key, false)
    },
  }
}
