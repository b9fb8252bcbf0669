import type { Entry, FullNode, Tx } from 'bcoin'

/** A refusal in the words and numbers of a bitcoin node. */
export class Refused extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const missing = 'bad-txns-inputs-missingorspent'
const satoshi = 100_000_000

export type RegtestNode = Awaited<ReturnType<typeof openRegtestNode>>

/**
 * A whole bitcoin node in this process on a chain of its own: real scripts, real reorgs, a mempool that takes and refuses what bitcoin nodes
 * take and refuse. Differences of bcoin to them are evened out here.
 */
export async function openRegtestNode() {
  // Read when bcoin is first loaded: every machine shall run the same code.
  process.env.NODE_BACKEND = 'js'
  const { default: bcoin } = await import('bcoin')
  const node = new bcoin.FullNode({
    ...{ network: 'regtest', memory: true, listen: false, noDns: true },
    ...{ workers: false, logLevel: 'none' },
  })
  // It would bind a port of its own.
  node.http.open = async () => {}
  node.http.close = async () => {}
  // Fees are judged here, in the words of bitcoin nodes.
  const { options } = node.mempool
  Object.assign(options, { relayPriority: false, limitFree: false, rejectAbsurdFees: false })
  await node.open()
  const disconnected: Tx[] = []
  node.on('disconnect', (_, block) => disconnected.unshift(...block.txs.slice(1)))
  let floor = 1

  /** Mempool and chain change one after the other, and blocks are made of both. */
  async function settled(): Promise<void> {
    while (node.mempool.tip !== node.chain.tip.hash)
      await new Promise(resolve => setImmediate(resolve))
  }

  async function mine(keyHash: Uint8Array, count = 1): Promise<string[]> {
    const address = bcoin.Address.fromWitnessPubkeyhash(Buffer.from(keyHash))
    const hashes: string[] = []
    for (let made = 0; made < count; made += 1) {
      await settled()
      await node.chain.add(await node.miner.mineBlock(node.chain.tip, address))
      hashes.push(node.chain.tip.rhash())
    }
    await settled()
    return hashes
  }

  /** The last blocks give way to a longer branch of empty ones; what was in them waits again. */
  async function reorg(keyHash: Uint8Array, depth: number): Promise<void> {
    const address = bcoin.Address.fromWitnessPubkeyhash(Buffer.from(keyHash))
    disconnected.length = 0
    let tip = await entryAt(node, node.chain.height - depth)
    for (let made = 0; made <= depth; made += 1) {
      await settled()
      const job = await node.miner.cpu.createJob(tip, address)
      job.attempt.items = []
      job.attempt.refresh()
      const block = await job.mineAsync()
      const entry = (await node.chain.add(block)) || (await node.chain.getEntry(block.hash('hex')))
      if (!entry) throw new Error('a block of the fork was refused')
      tip = entry
    }
    await settled()
    // Twice: a child may come before its parent.
    for (const tx of [...disconnected, ...disconnected]) await take(tx).catch(() => {})
  }

  function parse(raw: Uint8Array): Tx {
    let tx: Tx
    try {
      tx = bcoin.TX.fromRaw(Buffer.from(raw))
    } catch {
      throw new Refused(-22, 'TX decode failed. Make sure the tx has at least one input.')
    }
    if (Buffer.compare(tx.toRaw(), raw) !== 0) throw new Refused(-22, 'TX decode failed')
    return tx
  }

  /** Into the mempool; the id as people read it. */
  async function send(raw: Uint8Array, feeRateMax = 0): Promise<string> {
    const tx = parse(raw)
    if (feeRateMax > 0) {
      const { fee, size } = await price(tx)
      if (fee !== undefined && fee / satoshi / (size / 1_000) > feeRateMax)
        throw new Refused(
          -25,
          'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)',
        )
    }
    return take(tx)
  }

  async function price(tx: Tx): Promise<{ fee: number | undefined; size: number }> {
    const view = await node.mempool.getCoinView(tx)
    return { fee: tx.hasCoins(view) ? tx.getFee(view) : undefined, size: tx.getVirtualSize() }
  }

  async function take(tx: Tx): Promise<string> {
    if (node.mempool.getTX(tx.hash('hex')) !== null) return tx.txid()
    const before = rivals(tx)
    const { fee, size } = await price(tx)
    if (fee !== undefined && fee < Math.ceil(size * floor))
      throw new Refused(-26, `min relay fee not met, ${fee} < ${Math.ceil(size * floor)}`)
    if (before.length > 0 && fee !== undefined) {
      const paid = before.reduce((sum, each) => sum + each.fee, 0)
      if (fee < paid + size)
        throw new Refused(
          -26,
          `insufficient fee, rejecting replacement ${tx.txid()}; new feerate ${fee} <= old ${paid}`,
        )
      for (const entry of before) node.mempool.evictEntry(entry)
    }
    try {
      return await add(tx)
    } catch (error) {
      for (const entry of before) await node.mempool.addTX(entry.tx).catch(() => {})
      throw error
    }
  }

  /** What waits and spends what this spends. */
  function rivals(tx: Tx) {
    const found = new Set(
      tx.inputs.flatMap(({ prevout }) => {
        const rival = node.mempool.getSpentTX(prevout.hash, prevout.index)
        const entry = rival && node.mempool.getEntry(rival.hash('hex'))
        return entry ? [entry] : []
      }),
    )
    return [...found]
  }

  async function add(tx: Tx): Promise<string> {
    let lacks: readonly string[] | null
    try {
      lacks = await node.mempool.addTX(tx)
    } catch (error) {
      throw refusalOf((error as { reason?: string }).reason ?? String(error), tx)
    }
    if (lacks === null) return tx.txid()
    node.mempool.removeOrphan(tx.hash('hex'))
    throw new Refused(-25, missing)
  }

  return {
    ...{ node, mine, reorg, send, settled },
    get floor() {
      return floor
    },
    /** Satoshi per virtual byte. */
    setFloor(rate: number) {
      floor = rate
    },
    close: () => node.close(),
  }
}

function refusalOf(reason: string, tx: Tx): Refused {
  if (reason === 'txn-already-known')
    return new Refused(-27, 'Transaction outputs already in utxo set')
  if (reason.includes('script-verify-flag'))
    return new Refused(
      -26,
      `mempool-script-verify-flag-failed (${reason}), input 0 of ${tx.txid()}`,
    )
  return new Refused(-26, reason)
}

export async function entryAt(node: FullNode, height: number): Promise<Entry> {
  const entry = await node.chain.getEntry(height)
  if (entry === null) throw new Refused(-8, 'Block height out of range')
  return entry
}
