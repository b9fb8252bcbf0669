import type {
  AccountsAnswer,
  Address,
  Answer,
  BlockAnswer,
  BlockId,
  ChainFrames,
  ChainGetFrames,
  FeeHistory,
  Hash,
  Header,
  MinedTx,
} from '@rockpool/protocol'
import { encodeBlockFrame, failed, limits, ok } from '@rockpool/protocol'
import type { AccountsAt } from './accounts-at.ts'
import { stepBack } from './accounts-at.ts'
import type { Archive } from './archive.ts'
import type { DevChain } from './dev-chain.ts'
import type { FeeRow } from './fees.ts'
import { feeHistory, feeRowOf, oracle, suggestTip, tipSamplesOf } from './fees.ts'
import { headOf } from './header.ts'
import type { Keccak } from './keccak.ts'
import { accountView } from './state.ts'

export type Reads = ReturnType<typeof createReads>

/** Undo records read from the store at once. */
const undoPage = 64

/**
 * What others ask of the chain. Functions that answer at once read memory; the others look at memory first and then read the store, and
 * belong in a pipe. An answer is about the chain as it stood when it was asked.
 */
export function createReads(parts: { chain: DevChain; archive: Archive; keccak256: Keccak }) {
  const { chain, archive, keccak256 } = parts
  const feeRows = new Map<Hash, FeeRow>()
  const samples = new Map<Hash, readonly bigint[]>()
  let lastTip: bigint = oracle.tipDefault

  /** The height an id names, or null for a hash. */
  function heightOf(id: Exclude<BlockId, { hash: Hash }>): number {
    return 'number' in id ? id.number : chain.heightOf(id.tag)
  }

  async function hashOf(id: BlockId): Promise<Hash | null> {
    if ('hash' in id) return id.hash
    const height = heightOf(id)
    if (height > chain.head.number) return null
    return chain.canonicalAt(height) ?? (await archive.hashesAt([height]))[0] ?? null
  }

  /** The block if memory has it; undefined says nothing. */
  function blockNow(id: BlockId): BlockAnswer | null | undefined {
    if (!('hash' in id) && heightOf(id) > chain.head.number) return null
    const hash = 'hash' in id ? id.hash : chain.canonicalAt(heightOf(id))
    if (hash === undefined) return undefined
    const resident = chain.resident(hash)
    const node = chain.node(hash)
    const canonical = chain.isCanonical(hash)
    if (resident === undefined || node === undefined) return undefined
    if (canonical && resident.receipts === undefined) return undefined
    const { block, receipts = [] } = resident
    return { block, receipts, canonical, totalWeight: node.totalWeight }
  }

  async function block(id: BlockId): Promise<BlockAnswer | null> {
    const hash = await hashOf(id)
    if (hash === null) return null
    return hash === chain.genesisHash ? genesisAnswer() : archive.block(hash)
  }

  function genesisAnswer(): BlockAnswer {
    const { header, seal, size } = chain.genesisNode
    const block = { header, txs: [], seal, size }
    return { block, receipts: [], canonical: true, totalWeight: 0 }
  }

  async function transaction(txHash: Hash): Promise<MinedTx | null> {
    const place = await archive.placeOf(txHash)
    if (place === null) return null
    const resident = chain.resident(place.block)
    const found = resident?.receipts === undefined ? await archive.block(place.block) : resident
    const tx = found?.block.txs[place.index]
    const receipt = found?.receipts?.[place.index]
    if (found === null || tx === undefined || receipt === undefined) return null
    return { tx, block: found.block, index: place.index, receipt }
  }

  /** The accounts if memory reaches; null when the store must be read. */
  function accountsNow(addresses: readonly Address[], id: BlockId): Answer<AccountsAnswer> | null {
    const at = headerAt(id)
    if (at === null) return null
    if (!at.ok) return at
    const found = chain.accountsAt(addresses, at.value)
    return found.pending.length > 0 ? null : accountsAnswer(addresses, at.value, found)
  }

  async function accounts(
    addresses: readonly Address[],
    id: BlockId,
  ): Promise<Answer<AccountsAnswer>> {
    const at = headerAt(id)
    if (at === null) {
      const known = 'hash' in id && (await archive.header(id.hash)) !== null
      return failed(known ? 'chain/state-missing' : 'chain/unknown-block')
    }
    if (!at.ok) return at
    const found = chain.accountsAt(addresses, at.value)
    for (let from = 0; from < found.pending.length; from += undoPage) {
      const page = found.pending.slice(from, from + undoPage)
      for (const undo of await Promise.all(page.map(archive.undo))) {
        // A reorg has taken it away while we read.
        if (undo === null) return failed('chain/state-missing')
        stepBack(found.values, undo)
      }
    }
    return accountsAnswer(addresses, at.value, found)
  }

  function accountsAnswer(
    addresses: readonly Address[],
    at: Header,
    { values }: AccountsAt,
  ): Answer<AccountsAnswer> {
    const views = addresses.map(address => accountView(values.get(address) ?? undefined, keccak256))
    return ok({ at: headOf(at), accounts: views })
  }

  /** The canonical header an id names, as far as undo steps reach; null for a hash that memory does not know. */
  function headerAt(id: BlockId): Answer<Header> | null {
    if ('hash' in id) {
      const node = chain.node(id.hash)
      if (node === undefined) return null
      return chain.isCanonical(id.hash) ? ok(node.header) : failed('chain/state-missing')
    }
    const height = heightOf(id)
    if (height > chain.head.number) return failed('chain/unknown-block')
    const hash = chain.canonicalAt(height)
    const node = hash === undefined ? undefined : chain.node(hash)
    return node === undefined ? failed('chain/state-missing') : ok(node.header)
  }

  async function fees(
    count: number,
    newest: BlockId,
    percentiles: readonly number[],
  ): Promise<Answer<FeeHistory>> {
    const top = await heightOfAny(newest)
    if (top === null) return failed('chain/unknown-block')
    const wanted = Math.max(1, Math.min(count, limits.feeHistoryBlocksMax, top + 1))
    const heights = Array.from({ length: wanted }, (_, index) => top - wanted + 1 + index)
    const hashes = await canonicalHashes(heights)
    const absent = hashes.filter(hash => !feeRows.has(hash) && !fillFeeRow(hash))
    const read = await archive.feeRows(absent)
    for (const row of read) remember(feeRows, row.header.hash, row, limits.feeRowsMax)
    const rows = hashes.flatMap(hash => feeRows.get(hash) ?? [])
    return rows.length === hashes.length
      ? ok(feeHistory(rows, percentiles))
      : failed('chain/unknown-block')
  }

  function fillFeeRow(hash: Hash): boolean {
    const resident = chain.resident(hash)
    if (resident?.receipts === undefined) return false
    const row = feeRowOf(resident.block.header, resident.receipts)
    remember(feeRows, hash, row, limits.feeRowsMax)
    return true
  }

  async function heightOfAny(id: BlockId): Promise<number | null> {
    if (!('hash' in id)) {
      const height = heightOf(id)
      return height > chain.head.number ? null : height
    }
    const header = chain.node(id.hash)?.header ?? (await archive.header(id.hash))
    return header?.number ?? null
  }

  async function tip(): Promise<bigint> {
    const { number } = chain.head
    const lowest = Math.max(1, number - oracle.blocks + 1)
    const heights: number[] = []
    for (let height = number; height >= lowest; height--) heights.push(height)
    const found: (readonly bigint[])[] = []
    for (const hash of await canonicalHashes(heights)) {
      const known = samples.get(hash) ?? (await samplesOf(hash))
      remember(samples, hash, known, oracle.blocks * 4)
      found.push(known)
    }
    lastTip = suggestTip(found, lastTip)
    return lastTip
  }

  async function samplesOf(hash: Hash): Promise<readonly bigint[]> {
    const resident = chain.resident(hash)
    const found = resident?.receipts === undefined ? await archive.block(hash) : resident
    if (found === null) return []
    return tipSamplesOf(found.block.header, found.block.txs, found.receipts ?? [])
  }

  async function frames(want: ChainGetFrames['want']): Promise<Answer<ChainFrames>> {
    if (want.kind === 'hashes') {
      const top = chain.head.number
      const known = want.numbers.map(height =>
        height > top ? null : (chain.canonicalAt(height) ?? height),
      )
      const old = known.filter(entry => typeof entry === 'number')
      const read = await archive.hashesAt(old)
      const hashes = known.map(entry =>
        typeof entry === 'number' ? (read[old.indexOf(entry)] ?? null) : entry,
      )
      return ok({ hashes, frames: [], more: false })
    }
    if (want.kind === 'bodies') {
      const { frames: bodies } = await encoded(want.hashes, 'skip')
      return ok({ hashes: [], frames: bodies, more: false })
    }
    const after = chain.node(want.after)?.header ?? (await archive.header(want.after))
    if (after === null) return failed('chain/unknown-block')
    const top = chain.head.number
    const heights: number[] = []
    const last = Math.min(top, after.number + want.count)
    // In one go with the block they follow: while the store is read the branch may be left.
    for (let height = after.number; height <= last; height++) heights.push(height)
    const [first, ...rest] = await canonicalHashes(heights)
    if (first !== want.after) return failed('chain/unknown-block')
    const { frames: blocks, complete } = await encoded(rest, 'end')
    return ok({ hashes: [], frames: blocks, more: !complete || last < top })
  }

  /** Encoded blocks in the order asked, up to the bytes of one answer but at least one. One that is not there is left out, or ends a row. */
  async function encoded(
    hashes: readonly Hash[],
    gaps: 'skip' | 'end',
  ): Promise<{ frames: readonly Uint8Array[]; complete: boolean }> {
    const blocks: Uint8Array[] = []
    let size = 0
    for (const hash of hashes) {
      const bytes = residentBytes(hash) ?? (await archive.bodies([hash]))[0]
      if (bytes === undefined) {
        if (gaps === 'skip') continue
        return { frames: blocks, complete: false }
      }
      size += bytes.length
      if (blocks.length > 0 && size > limits.rangeBytesMax)
        return { frames: blocks, complete: false }
      blocks.push(bytes)
    }
    return { frames: blocks, complete: true }
  }

  function residentBytes(hash: Hash): Uint8Array | undefined {
    const resident = chain.resident(hash)
    const node = chain.node(hash)
    if (resident === undefined || node === undefined || hash === chain.genesisHash) return undefined
    const txs = resident.block.txs.map(({ raw }) => raw)
    return encodeBlockFrame({ header: node.encodedHeader, txs, seal: node.seal })
  }

  /** Canonical hashes at heights not above the head. */
  async function canonicalHashes(heights: readonly number[]): Promise<readonly Hash[]> {
    const known = heights.map(height => chain.canonicalAt(height))
    const old = heights.filter((_, index) => known[index] === undefined)
    const read = old.length === 0 ? [] : await archive.hashesAt(old)
    let next = 0
    return known.flatMap(hash => hash ?? read[next++] ?? [])
  }

  return {
    blockNow,
    block,
    transaction,
    accountsNow,
    accounts,
    fees,
    tip,
    lastTip: () => lastTip,
    frames,
  }
}

/** Keeps at most `max` entries, oldest out. */
function remember<V>(map: Map<Hash, V>, hash: Hash, value: V, max: number): void {
  map.set(hash, value)
  for (const oldest of map.keys()) {
    if (map.size <= max) return
    map.delete(oldest)
  }
}
