import type { Outcome } from '@rockpool/actor'
import {
  type Answer,
  type Breach,
  type Code,
  failed,
  limits,
  ok,
  type RecoveryJob,
  type WatcherAdd,
  type WatcherDelete,
  type WatcherGet,
  type WatcherRegister,
  type WatcherSubscription,
} from '@rockpool/protocol'
import { accept, type Stored, takeBack } from './appointments.ts'
import type { Commits } from './commits.ts'
import {
  type Floor,
  nameOf,
  rowsOf,
  type ToWatcher,
  towerSignature,
  type WatcherContext,
} from './floor.ts'
import { createLanes } from './lanes.ts'
import { readStored } from './reading.ts'
import { decodeRaws, decodeTracker, keyIn, phases, rangeOf, type UserRow } from './rows.ts'
import {
  appointmentMessage,
  appointmentReceipt,
  deleteMessage,
  getMessage,
  recoveryOf,
  registrationReceipt,
  subscriptionMessage,
  uuidOf,
} from './signing.ts'
import { fromZbase32 } from './zbase32.ts'

export interface DeskParts {
  readonly ctx: WatcherContext
  readonly floor: Floor
  readonly commits: Commits
  /** Rows that were found triggered while they were taken. */
  readonly respond: (breaches: readonly Breach[]) => void
}

interface Asked {
  readonly job: RecoveryJob | undefined
  readonly then: (key: Uint8Array | undefined) => void
}

const busy = failed('tower/busy')

/**
 * The counter where users are served. Who asks is told by his signature, recovered in batches outside the turn; what he asks about is read;
 * then all is decided in one turn, written, and only then answered. One row is dealt with once at a time.
 */
export function createDesk({ ctx, floor, commits, respond }: DeskParts) {
  const { parts, gate } = floor
  const { config, crypto, key, store, home } = parts
  const lanes = createLanes()
  const counts = new Map<string, number>()
  let asked: Asked[] = []
  let recovering = 0
  let open = 0

  function count(what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }

  /** Work outside the turn; its outcome is used in a turn again. */
  function later<T>(work: () => Promise<T>, then: (outcome: Outcome<T, unknown>) => void): void {
    ctx.pipe(work, (outcome): ToWatcher => ({ type: 'watcher.then', then: () => then(outcome) }))
  }

  /** Whose signature it is; what cannot be one is nobody's. */
  function whose(message: Uint8Array, signature: string, then: Asked['then']): void {
    asked.push({ job: recoveryOf(crypto.sha256, message, signature), then })
  }

  /** At the end of a turn: what was asked goes out together. */
  function recoverNext(): void {
    while (asked.length > 0 && recovering < limits.recoveryBatchesPerWorker) {
      const batch = asked.splice(0, limits.towerRecoveriesAtOnce)
      const jobs = batch.flatMap(({ job }) => (job ? [job] : []))
      recovering += 1
      later(
        () => crypto.recoverKeys(jobs),
        outcome => {
          recovering -= 1
          const keys = outcome.ok ? [...outcome.value] : []
          for (const { job, then } of batch) then(job && keys.shift())
        },
      )
    }
  }

  /** Answers once, counts what it was, and makes room for another. */
  function answering<T>(reply: { tell(answer: Answer<T>): void }, good: string) {
    open += 1
    return (answer: Answer<T>) => {
      open -= 1
      count(answer.ok ? good : answer.code)
      reply.tell(answer)
    }
  }

  /** The writes, and then the answer: or that there is none now, when the disk does not take them. */
  function commit<T>(
    writes: Parameters<Commits['push']>[0],
    answer: (answer: Answer<T>) => void,
    good: () => Answer<T>,
  ): void {
    commits.push(writes, stored => answer(stored ? good() : busy))
  }

  function register({ user, address, reply }: WatcherRegister): void {
    const answer = answering(reply, 'registered')
    const nowMs = ctx.wall()
    const granted = gate.register({
      ...{ user, address, nowMs, height: floor.height, rows: rowsOf(floor) },
    })
    if (!granted.ok) return answer(granted)
    const { row, writes } = granted.value
    const { free: slots, start, expiry } = row
    commit(writes, answer, () => {
      const receipt = registrationReceipt({ user, slots, start, expiry })
      return ok({ user, slots, start, expiry, signature: towerSignature(floor, receipt) })
    })
  }

  function add(message: WatcherAdd): void {
    const { appointment, signature, endBlock, reply } = message
    const { locator, blob, delay } = appointment
    const answer = answering(reply, 'added')
    if (blob.length < limits.towerBlobBytesMin)
      return answer(
        failed(
          'tower/blob-too-small',
          `Wrong \`encrypted_blob\` field size. Minimum ${limits.towerBlobBytesMin}, received ${blob.length}`,
        ),
      )
    if (delay < config.minToSelfDelay)
      return answer(
        failed(
          'tower/delay-too-small',
          `Wrong \`to_self_delay\` field. Minimum ${config.minToSelfDelay}, received ${delay}`,
        ),
      )
    whose(appointmentMessage(locator, blob, delay), signature, found => {
      const user = admit(found, 'tower/not-accepted', 'add')
      if (!user.ok) return answer(user)
      const uuid = uuidOf(crypto.ripemd160, locator, user.value.user)
      withRow(uuid, locator, answer, (stored, leave) => {
        const fresh = gate.get(user.value.user)
        const bytes = fromZbase32(signature)
        if (fresh === undefined || bytes === undefined) return leave(failed('tower/not-accepted'))
        const wish = { uuid, user: fresh, appointment, signature: bytes }
        const taken = accept(
          floor,
          { ...wish, ...(endBlock !== undefined && { endBlock }) },
          stored,
        )
        if (!taken.ok) return leave(taken)
        const { writes, breach } = taken.value
        const startBlock = floor.height
        floor.touched.add(nameOf(uuid))
        const { free: slots, expiry } = gate.get(fresh.user) ?? fresh
        commit(writes, leave, () => {
          if (breach !== undefined) respond([breach])
          const receipt = towerSignature(floor, appointmentReceipt(signature, startBlock))
          return ok({ locator, startBlock, signature: receipt, slots, expiry })
        })
      })
    })
  }

  function get({ locator, signature, reply }: WatcherGet): void {
    const answer = answering(reply, 'read')
    whose(getMessage(locator), signature, found => {
      const user = admit(found, 'tower/not-authenticated', 'read')
      if (!user.ok) return answer(user)
      const uuid = uuidOf(crypto.ripemd160, locator, user.value.user)
      later(
        async () => {
          const stored = await readStored(store, uuid)
          if (stored?.row.phase !== 'tracked') return { stored }
          const tracker = await store.get(keyIn('tracker', uuid))
          const raws = await store.get(keyIn('raws', uuid))
          return {
            stored,
            tracker: tracker && decodeTracker(uuid, tracker),
            raws: raws && decodeRaws(raws),
          }
        },
        outcome => {
          if (!outcome.ok) return answer(busy)
          const { stored, tracker, raws } = outcome.value
          if (tracker !== undefined && raws !== undefined)
            return answer(
              ok({
                state: 'responded',
                disputeTxid: home.shown(tracker.disputeTxid),
                penaltyTxid: home.shown(tracker.penaltyTxid),
                penalty: raws.penalty,
              }),
            )
          if (stored?.row.phase !== 'watched') return answer(failed('tower/not-found'))
          const { blob, delay } = stored.row
          answer(ok({ state: 'watched', appointment: { locator, blob, delay } }))
        },
      )
    })
  }

  function subscription({ signature, reply }: WatcherSubscription): void {
    const answer = answering(reply, 'read')
    whose(subscriptionMessage, signature, found => {
      const user = admit(found, 'tower/unknown-user', 'read')
      if (!user.ok) return answer(user)
      later(
        () => locatorsOf(user.value),
        outcome => {
          if (!outcome.ok) return answer(busy)
          const { free: slots, expiry } = gate.get(user.value.user) ?? user.value
          answer(ok({ slots, expiry, locators: outcome.value }))
        },
      )
    })
  }

  /** Of all his rows that are not closed, in byte order. */
  async function locatorsOf({ user, held }: UserRow): Promise<Uint8Array[]> {
    const found: Uint8Array[] = []
    const { gte, lt } = rangeOf('owned', user)
    let from = gte
    for (let left = held + limits.towerRowsPerTurn; left > 0; left -= limits.towerRowsPerTurn) {
      const owned = await store.scan({ gte: from, lt, limit: limits.towerRowsPerTurn })
      const keys = owned.map(({ key, value }) => keyIn('locator', value, key.subarray(34)))
      const marks = await store.getMany(keys)
      owned.forEach(({ value }, index) => {
        const phase = phases[marks[index]?.[0] ?? 2]
        if (phase !== 'closed') found.push(value)
      })
      const last = owned.at(-1)
      if (last === undefined || owned.length < limits.towerRowsPerTurn) break
      from = Uint8Array.of(...last.key, 0)
    }
    return found.sort(Buffer.compare)
  }

  function takeAway({ locator, until, signature, reply }: WatcherDelete): void {
    const answer = answering(reply, 'deleted')
    whose(deleteMessage(locator, key.id, until), signature, found => {
      const user = admit(found, 'tower/not-authenticated', 'read')
      if (!user.ok) return answer(user)
      const uuid = uuidOf(crypto.ripemd160, locator, user.value.user)
      withRow(uuid, locator, answer, (stored, leave) => {
        const taken = takeBack(floor, stored, until)
        if (!taken.ok) return leave(taken)
        floor.touched.add(nameOf(uuid))
        const { writes, slotsReturnAt } = taken.value
        const slots = gate.get(user.value.user)?.free ?? 0
        commit(writes, leave, () => ok({ locator, slots, slotsReturnAt }))
      })
    })
  }

  /** Reads the row with nobody else at it; `leave` answers and lets the next in. */
  function withRow<T>(
    uuid: Uint8Array,
    locator: Uint8Array,
    answer: (answer: Answer<T>) => void,
    act: (stored: Stored | undefined, leave: (answer: Answer<T>) => void) => void,
  ): void {
    const name = nameOf(uuid)
    const leave = (said: Answer<T>) => {
      answer(said)
      lanes.leave(name)
    }
    lanes.enter(name, () => {
      // Every row is counted under its locator: where nothing is counted there is nothing to read.
      if (floor.index.get(locator) === 0) return act(undefined, leave)
      later(
        () => readStored(store, uuid),
        outcome => (outcome.ok ? act(outcome.value, leave) : leave(busy)),
      )
    })
  }

  function admit(found: Uint8Array | undefined, unknown: Code, kind: 'add' | 'read') {
    return gate.admit(found, { unknown, kind, height: floor.height, nowMs: ctx.wall() })
  }

  return {
    ...{ register, add, get, subscription, takeAway, recoverNext, later, counts },
    /** Too many are being served. */
    get isFull() {
      return open >= limits.towerRequestsWaitingMax
    },
  }
}

export type Desk = ReturnType<typeof createDesk>
