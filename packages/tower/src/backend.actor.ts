import { type ActorRef, type Behavior, type Outcome, unreachable } from '@rockpool/actor'
import {
  type BackendMessage,
  limits,
  type NodeClear,
  type NodeRaise,
  type ResponderMessage,
  type UtxoBackend,
  type WatcherMessage,
} from '@rockpool/protocol'
import type { BitcoinConfig } from './config.ts'
import type { Place } from './home.ts'

export interface BackendActorParts {
  readonly config: BitcoinConfig
  readonly backend: Pick<UtxoBackend, 'head' | 'mempoolFloor'>
  readonly watcher: Pick<ActorRef<WatcherMessage>, 'tell'>
  readonly responder: Pick<ActorRef<ResponderMessage>, 'tell'>
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
}

interface Seen {
  readonly head: Place
  readonly floor: number
}

type Message = BackendMessage | { type: 'backend.seen'; outcome: Outcome<Seen, unknown> }

/**
 * Looks where a bitcoin node stands and tells the tower, which fetches the blocks itself. It asks in steady intervals; a hint makes it ask
 * now, and a lost, doubled or forged one changes nothing else. While the node cannot be asked the tower goes on with what it knows.
 */
export function backendActor(parts: BackendActorParts): Behavior<Message> {
  const { config, backend, watcher, responder, node } = parts
  return ctx => {
    let head: Place | undefined
    let floor: number | undefined
    let failures = 0
    let isAsking = false
    let isHinted = false
    let isStale = false
    let movedMs = ctx.wall()
    ask()

    function poll(): void {
      if (isAsking) isHinted = true
      else ask()
    }

    function ask(): void {
      isAsking = true
      ctx.pipe(
        async () => ({ head: await backend.head(), floor: await backend.mempoolFloor() }),
        (outcome): Message => ({ type: 'backend.seen', outcome }),
      )
    }

    function seen(outcome: Outcome<Seen, unknown>): void {
      isAsking = false
      if (outcome.ok) follow(outcome.value)
      else lose(outcome.error)
      if (isHinted && outcome.ok) {
        isHinted = false
        return ask()
      }
      ctx.after('poll', waitMs(), { type: 'backend.poll' })
    }

    function waitMs(): number {
      const { towerBackendRetryMinMs, towerBackendRetryMaxMs } = limits
      if (failures === 0) return config.pollingMs
      return Math.min(towerBackendRetryMaxMs, towerBackendRetryMinMs * 2 ** (failures - 1))
    }

    function lose(error: unknown): void {
      isHinted = false
      failures += 1
      if (failures > 1) return
      const text = error instanceof Error ? error.message : String(error)
      ctx.log.error('tower/backend-lost', { why: text })
      warn(`the tower cannot reach its bitcoin node: ${text}`)
      watcher.tell({ type: 'watcher.backend', lost: text })
    }

    function follow({ head: next, floor: nextFloor }: Seen): void {
      const wasLost = failures > 0
      failures = 0
      if (wasLost) {
        ctx.log.info('tower/backend-back', { height: next.height })
        if (!isStale) node?.tell({ type: 'node.clear', code: 'tower-backend' })
        watcher.tell({ type: 'watcher.backend' })
      }
      const hasMoved = head?.hash !== next.hash
      if (hasMoved) move(next)
      else lookAtAge()
      const isCheaper = floor !== undefined && nextFloor < floor
      floor = nextFloor
      if (wasLost || isCheaper) responder.tell({ type: 'responder.again' })
    }

    function move(next: Place): void {
      head = next
      movedMs = ctx.wall()
      if (isStale) {
        isStale = false
        node?.tell({ type: 'node.clear', code: 'tower-backend' })
        watcher.tell({ type: 'watcher.backend' })
      }
      watcher.tell({ type: 'watcher.head', head: next })
      responder.tell({ type: 'responder.head', head: next })
    }

    /** A node that is cut off from its network is reached, and says nothing new. */
    function lookAtAge(): void {
      if (isStale || ctx.wall() - movedMs < config.staleTipMs) return
      isStale = true
      const text = `no block for ${Math.round((ctx.wall() - movedMs) / 60_000)} minutes`
      ctx.log.error('tower/backend-lost', { why: text })
      warn(`the bitcoin node of the tower has seen ${text}`)
      watcher.tell({ type: 'watcher.backend', lost: text })
    }

    function warn(text: string): void {
      node?.tell({ type: 'node.raise', reason: { code: 'tower-backend', services: [], text } })
    }

    return message => {
      switch (message.type) {
        case 'backend.poll':
          return poll()
        case 'backend.seen':
          return seen(message.outcome)
        default:
          return unreachable(message)
      }
    }
  }
}
