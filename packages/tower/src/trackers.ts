import { limits, type TrackerView } from '@rockpool/protocol'
import type { Home, HomeBlock, Place } from './home.ts'
import { encodeTracker, keyIn, type TrackerRow } from './rows.ts'
import { plainHex } from './signing.ts'
import { isSame, withoutBlock } from './tracker.ts'

interface Entry {
  row: TrackerRow
  /** As the disk has it. */
  stored: TrackerRow
  readonly story: { readonly height: number; readonly what: string }[]
}

const storyHead = 4

/** All live trackers, found by row, by penalty and by dispute: several rows may be answered by one transaction. */
export class Trackers {
  private readonly byUuid = new Map<string, Entry>()
  private readonly byTxid = new Map<string, Set<string>>()

  get size(): number {
    return this.byUuid.size
  }

  has(uuid: Uint8Array): boolean {
    return this.byUuid.has(plainHex(uuid))
  }

  get(uuid: Uint8Array): TrackerRow | undefined {
    return this.byUuid.get(plainHex(uuid))?.row
  }

  rows(): TrackerRow[] {
    return [...this.byUuid.values()].map(({ row }) => row)
  }

  /** Rows answered by this penalty. */
  answeredBy(penaltyTxid: Uint8Array): TrackerRow[] {
    const name = plainHex(penaltyTxid)
    return [...(this.byTxid.get(name) ?? [])].flatMap(uuid => {
      const row = this.byUuid.get(uuid)?.row
      return row !== undefined && plainHex(row.penaltyTxid) === name ? [row] : []
    })
  }

  add(row: TrackerRow, height: number): void {
    const uuid = plainHex(row.uuid)
    this.byUuid.set(uuid, { row, stored: row, story: [{ height, what: row.state }] })
    for (const txid of [row.disputeTxid, row.penaltyTxid]) {
      const name = plainHex(txid)
      const uuids = this.byTxid.get(name) ?? new Set()
      uuids.add(uuid)
      this.byTxid.set(name, uuids)
    }
  }

  /** The newer row in the place of the older. */
  set(row: TrackerRow, height: number, what?: string): void {
    const entry = this.byUuid.get(plainHex(row.uuid))
    if (entry === undefined) return
    if (what !== undefined || entry.row.state !== row.state) {
      entry.story.push({ height, what: what ?? row.state })
      if (entry.story.length > limits.towerStoryMax) entry.story.splice(storyHead, 1)
    }
    entry.row = row
  }

  remove(uuid: Uint8Array): void {
    const name = plainHex(uuid)
    const entry = this.byUuid.get(name)
    if (entry === undefined) return
    this.byUuid.delete(name)
    for (const txid of [entry.row.disputeTxid, entry.row.penaltyTxid]) {
      const uuids = this.byTxid.get(plainHex(txid))
      uuids?.delete(name)
      if (uuids?.size === 0) this.byTxid.delete(plainHex(txid))
    }
  }

  disconnect(place: Place): void {
    for (const entry of this.byUuid.values()) entry.row = withoutBlock(entry.row, place)
  }

  /** Disputes and penalties of this block are in it. */
  connect({ hash, height, txs }: HomeBlock): void {
    if (this.byUuid.size === 0) return
    for (const { txid } of txs) {
      const name = plainHex(txid)
      for (const uuid of this.byTxid.get(name) ?? []) {
        const entry = this.byUuid.get(uuid)
        if (entry === undefined) continue
        const { row } = entry
        const isDispute = plainHex(row.disputeTxid) === name
        entry.row = { ...row, [isDispute ? 'disputeBlock' : 'penaltyBlock']: { hash, height } }
      }
    }
  }

  /** What the disk lacks; from now on it is thought to have it. */
  takeWrites() {
    const writes = []
    for (const entry of this.byUuid.values()) {
      if (isSame(entry.row, entry.stored)) continue
      entry.stored = entry.row
      const { uuid } = entry.row
      const value = encodeTracker(entry.row)
      writes.push({ type: 'put' as const, key: keyIn('tracker', uuid), value })
    }
    return writes
  }

  view(home: Home, uuid: Uint8Array): TrackerView | undefined {
    const entry = this.byUuid.get(plainHex(uuid))
    if (entry === undefined) return undefined
    const { row, story } = entry
    const { disputeBlock, penaltyBlock } = row
    return {
      ...{ uuid, state: row.state, since: row.since, tries: row.tries, story: [...story] },
      disputeTxid: home.shown(row.disputeTxid),
      penaltyTxid: home.shown(row.penaltyTxid),
      ...(disputeBlock && { disputeHeight: disputeBlock.height }),
      ...(penaltyBlock && { penaltyHeight: penaltyBlock.height }),
      ...(row.reason !== '' && { reason: row.reason }),
    }
  }
}
