import type { Address, TxRecord } from '@rockpool/protocol'
import type { Outcome } from '../op.ts'
import type { Pool } from '../pool.ts'
import type { HalvesText } from './format.ts'

/**
 * The canonical text of a pool's content and its digest, kept up to date by what each operation says it changed: senders ascending, nonces
 * ascending, pending then queued.
 */
export class ContentDigest {
  private readonly texts = new Map<Address, HalvesText<string>>()
  private readonly addresses: Address[] = []
  private readonly senderOf: (hash: string) => Address | undefined
  private readonly sha256: (text: string) => string
  private current: string | undefined

  constructor(senderOf: (hash: string) => Address | undefined, sha256: (text: string) => string) {
    this.senderOf = senderOf
    this.sha256 = sha256
  }

  /** Takes note of what an operation changed. Returns whose transactions those were. */
  follow(pool: Pool, { added, promoted, demoted, dropped }: Outcome): ReadonlySet<Address> {
    const touched = new Set<Address>()
    const touch = (hash: string) => {
      const sender = this.senderOf(hash)
      if (sender !== undefined) touched.add(sender)
    }
    for (const hashes of [added, promoted, demoted]) for (const hash of hashes) touch(hash)
    for (const { hash } of dropped) touch(hash)
    for (const address of touched) this.rewrite(address, pool)
    if (touched.size > 0) this.current = undefined
    return touched
  }

  value(): string {
    this.current ??= this.sha256(this.text())
    return this.current
  }

  private text(): string {
    let pending = ''
    let queued = ''
    for (const address of this.addresses) {
      const text = this.texts.get(address)
      if (text === undefined) continue
      pending += text.pending
      queued += text.queued
    }
    return pending + queued
  }

  private rewrite(address: Address, pool: Pool): void {
    const account = pool.inspect().holdings.accounts.get(address)
    const isListed = this.texts.has(address)
    if (account === undefined) {
      if (isListed) this.addresses.splice(this.indexOf(address), 1)
      this.texts.delete(address)
      return
    }
    if (!isListed) this.addresses.splice(this.indexOf(address), 0, address)
    this.texts.set(address, {
      pending: linesOf('p', account.pending.entries),
      queued: linesOf('q', account.queue.entries),
    })
  }

  private indexOf(address: Address): number {
    let low = 0
    let high = this.addresses.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.addresses[middle] as Address) < address) low = middle + 1
      else high = middle
    }
    return low
  }
}

function linesOf(letter: string, entries: readonly { readonly tx: TxRecord }[]): string {
  let lines = ''
  for (const { tx } of entries) lines += `${letter} ${tx.sender} ${tx.nonce} ${tx.hash}\n`
  return lines
}

/** Hashes by nonce, as the format writes them. */
export function nonceMap(txs: readonly TxRecord[]): Record<string, string> {
  return Object.fromEntries(txs.map(({ nonce, hash }) => [nonce.toString(), hash]))
}

/** The whole content, as the format writes it. */
export function contentText(pool: Pool): HalvesText<Record<string, Record<string, string>>> {
  const { pending, queued } = pool.content()
  const half = (lists: ReadonlyMap<Address, readonly TxRecord[]>) =>
    Object.fromEntries([...lists].map(([address, txs]) => [address, nonceMap(txs)]))
  return { pending: half(pending), queued: half(queued) }
}

/** Equal up to the order of keys. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object') return false
  if (left === null || right === null) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every(key =>
    isSame((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
  )
}
