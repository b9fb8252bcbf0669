import type { Faults, WorldChain } from './api.ts'
import type { Host } from './host.ts'
import type { Network } from './network.ts'
import type { WorldNode } from './sim-node.ts'

interface Parts {
  readonly network: Network
  readonly nodes: readonly WorldNode[]
  chain(): WorldChain | undefined
  at(ms: number, what: string, act: () => void): void
  now(): number
  /** What went wrong and is over: liveness counts from here. */
  mended(): void
  /** For the legend. */
  say(what: string): void
}

/** The hand that breaks things. What it is told of nodes that do not exist it does not do. */
export function createFaults(parts: Parts): Faults {
  const { network, nodes, say } = parts
  const named = (index: number): string => nodes[index]?.name ?? `n${index}`
  const linkOf = (from: number, to: number) => network.link(named(from), named(to))
  const on = (index: number, act: (node: WorldNode) => void): void => {
    const node = nodes[index]
    if (node !== undefined) act(node)
  }
  const onHost = (node: WorldNode, act: (host: Host) => void): void => {
    if (node.host !== undefined) act(node.host)
  }

  function cut(from: number, to: number): void {
    const [left, right] = [nodes[from], nodes[to]]
    if (left === undefined || right === undefined || left === right) return
    linkOf(from, to).cut = true
    network.resetBetween(left.peer, right.peer)
    network.count('cuts')
  }

  const faults: Faults = {
    cut(from, to) {
      say(`cut n${from} > n${to}`)
      cut(from, to)
    },
    mend(from, to) {
      say(`mend n${from} > n${to}`)
      linkOf(from, to).cut = false
      parts.mended()
    },
    partition(left, right, symmetric = true) {
      say(`partition ${left.join()} | ${right.join()}${symmetric ? '' : ', one way'}`)
      network.count('partitions')
      for (const from of left) {
        for (const to of right) {
          cut(from, to)
          if (symmetric) cut(to, from)
        }
      }
    },
    heal() {
      say('heal')
      for (const link of network.allLinks()) {
        link.cut = false
        link.bytesPerSecond = undefined
        link.extraMs = 0
      }
      for (const node of nodes) {
        node.disk.heal()
        node.dialFailure = 0
        node.readsPerSecond = undefined
        onHost(node, host => {
          host.dialFailure = 0
          host.readsPerSecond = undefined
        })
      }
      parts.mended()
    },
    clog(from, to, ms) {
      say(`clog n${from} > n${to} for ${ms} ms`)
      network.count('clogs')
      linkOf(from, to).clog(ms)
    },
    reset(a, b) {
      const [left, right] = [nodes[a], nodes[b]]
      if (left === undefined || right === undefined) return
      say(`reset n${a} - n${b}`)
      network.resetBetween(left.peer, right.peer)
    },
    duplicate(index) {
      on(index, node =>
        onHost(node, host => {
          if (host.last === undefined || !host.running) return
          say(`n${index} publishes again`)
          host.router.publish(host.last, true)
        }),
      )
    },
    slowReader(index, bytesPerSecond) {
      on(index, node => {
        say(`n${index} reads ${bytesPerSecond ?? 'all'} bytes a second`)
        node.readsPerSecond = bytesPerSecond
        onHost(node, host => {
          host.readsPerSecond = bytesPerSecond
        })
        if (bytesPerSecond === undefined) parts.mended()
      })
    },
    bandwidth(from, to, bytesPerSecond) {
      say(`link n${from} > n${to}: ${bytesPerSecond ?? 'all'} bytes a second`)
      linkOf(from, to).bytesPerSecond = bytesPerSecond
      if (bytesPerSecond === undefined) parts.mended()
    },
    latency(from, to, ms) {
      say(`link n${from} > n${to}: ${ms} ms longer`)
      linkOf(from, to).extraMs = ms
      if (ms === 0) parts.mended()
    },
    dialFailure(index, chance) {
      on(index, node => {
        say(`dials of n${index} fail with ${chance}`)
        node.dialFailure = chance
        onHost(node, host => {
          host.dialFailure = chance
        })
        if (chance === 0) parts.mended()
      })
    },
    kill: index =>
      on(index, node => {
        node.kill()
        parts.mended()
      }),
    start: index => on(index, node => node.start()),
    stop: index => on(index, node => node.stop()),
    pause: index =>
      on(index, node => {
        say(`n${index} stands still`)
        node.pause()
      }),
    resume: index =>
      on(index, node => {
        say(`n${index} goes on`)
        node.resume()
        parts.mended()
      }),
    restart(index, downMs) {
      on(index, node => {
        node.kill()
        parts.at(parts.now() + downMs, `start n${index}`, () => node.start())
      })
    },
    diskMean(index, meanMs) {
      on(index, node => {
        say(`disk of n${index} takes ${meanMs ?? 'its usual'} ms`)
        node.disk.meanMs = meanMs
        if (meanMs === undefined) parts.mended()
      })
    },
    diskFull(index, full) {
      on(index, node => {
        say(`disk of n${index} is ${full ? '' : 'no longer '}full`)
        node.disk.full = full
        if (!full) parts.mended()
      })
    },
    diskCorrupt(index, room, key) {
      on(index, node => {
        say(`disk of n${index} loses a record of ${room}`)
        node.disk.corrupt(room, key)
      })
    },
    skew(index, ppm) {
      on(index, node => {
        say(`time of n${index} runs by ${ppm} ppm`)
        node.skewBy(ppm)
      })
    },
    wall(index, ms) {
      on(index, node => {
        say(`wall of n${index} moves by ${ms} ms`)
        node.shiftWall(ms)
      })
    },
    reorg(depth) {
      say(`reorg of ${depth}`)
      parts.chain()?.reorg(depth)
    },
  }
  return faults
}
