import { existsSync } from 'node:fs'
import {
  addressOfKey,
  createCrypto,
  loadOrCreateKey,
  type NodeCrypto,
  towerKeyOf,
} from '@rockpool/adapters/crypto'
import { type Database, openDatabase } from '@rockpool/adapters/level'
import { loadOrCreateP2pKey } from '@rockpool/adapters/libp2p/keys'
import { type Genesis, genesisBlock } from '@rockpool/chain'
import type { Address, Hash, TowerKey } from '@rockpool/protocol'
import type { Closing } from './closing.ts'
import {
  checkVersion,
  prepareDatadir,
  readVersion,
  schemaVersion,
  writeVersion,
} from './datadir.ts'
import { genesisOf } from './genesis.ts'
import type { Log } from './log.ts'
import { requireDevForFaults, requireFreePorts, requireKey } from './refusals.ts'
import type { Effective } from './settings.ts'
import { type Accounts, unlockAccounts } from './unlock.ts'
import { version } from './version.ts'

/** What a node stands on before anything of it runs: keys, signatures, its genesis and its locked database. */
export interface Ground {
  readonly p2pKey: Uint8Array
  readonly producerKey: Uint8Array
  readonly producer: Address
  readonly director?: { readonly address: Address; readonly key: Uint8Array }
  /** Where a watchtower is to run. */
  readonly towerKey?: TowerKey
  readonly crypto: NodeCrypto
  /** Accounts of the keystore. */
  readonly accounts: Accounts
  readonly genesis: Genesis
  readonly genesisHash: Hash
  readonly database: Database
  /** The drain ended well: VERSION says so once the database is closed. */
  markClean(): void
}

/** Opens the data directory. Every refusal comes before the database is touched, and that before any listener. */
export async function openGround(
  { read, paths }: Effective,
  log: Log,
  closing: Closing,
): Promise<Ground> {
  requireDevForFaults(read)
  prepareDatadir(paths)
  requireKey(paths, read)
  const p2pKey = await loadOrCreateP2pKey(paths.p2pKey)
  const producerKey = (await loadOrCreateKey(paths.producerKey)).key
  const producer = addressOfKey(producerKey)
  const director = await readDirector(paths.directorKey)
  const towerKey = read.flag('tower.enabled')
    ? towerKeyOf((await loadOrCreateKey(paths.towerKey)).key)
    : undefined
  const crypto = await createCrypto({
    ...(read.has('crypto.workers') && { workers: read.number('crypto.workers') }),
    log: { warn: (code, fields) => log.line('warn', code, fields) },
  })
  closing.add(() => crypto.close())
  const accounts = await unlockAccounts(read, paths)
  const genesis = genesisOf(read, producer)
  const genesisHash = genesisBlock(genesis, crypto.keccak256).header.hash
  if (director !== undefined && director.address !== genesis.director)
    log.line('warn', 'config/director-key-unused', { address: director.address })
  const identity = { network: read.text('network'), chainId: genesis.chainId, genesis: genesisHash }
  const known = readVersion(paths)
  if (known) checkVersion(known, identity)
  await requireFreePorts(read)
  const database = await openDatabase(paths.db)
  const created = known?.created ?? new Date().toISOString()
  const mark = (cleanStop: boolean) =>
    writeVersion(paths, {
      schema: schemaVersion,
      ...identity,
      created,
      lastRun: { version, cleanStop },
    })
  let drained = false
  // Only what is closed has stopped: a second signal may end the process between the drain and this.
  closing.add(async () => {
    await database.close()
    if (drained) mark(true)
  })
  mark(false)
  return {
    p2pKey,
    producerKey,
    producer,
    ...(director && { director }),
    ...(towerKey && { towerKey }),
    crypto,
    accounts,
    genesis,
    genesisHash,
    database,
    markClean: () => {
      drained = true
    },
  }
}

/** The director's key, where an operator has put one. */
async function readDirector(file: string): Promise<Ground['director']> {
  if (!existsSync(file)) return undefined
  const { key } = await loadOrCreateKey(file)
  return { address: addressOfKey(key), key }
}
