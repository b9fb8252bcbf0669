import { readFileSync } from 'node:fs'
import {
  type Bitcoind,
  type BitcoinLogin,
  type BitcoinNetwork,
  createBitcoind,
  listenForBlocks,
  rpcPortOf,
} from '@rockpool/adapters/chain'
import type { NodeConfig } from '@rockpool/node'
import { CodedError } from '@rockpool/protocol'
import type { Reader } from './config.ts'
import type { Log } from './log.ts'

/** Whether the tower watches a bitcoin node in place of this node's chain. */
export function watchesBitcoin(read: Reader): boolean {
  return (
    read.flag('tower.enabled') && (read.has('tower.bitcoind') || read.has('tower.btc_rpc_connect'))
  )
}

type BitcoinConfig = NonNullable<NonNullable<NodeConfig['tower']>['bitcoin']>

const pollingMinMs = 100
const pollingMaxMs = 600_000

export function bitcoinSettings(read: Reader): BitcoinConfig {
  const pollingMs = read.number('tower.polling_delta')
  if (pollingMs < pollingMinMs || pollingMs > pollingMaxMs)
    throw badBackend('tower.polling_delta is from 100ms to 10m')
  return { pollingMs, staleTipMs: read.number('tower.stale-tip') }
}

export interface BitcoinLink {
  readonly backend: Bitcoind
  /** Calls when a block was published, where the node says so; ends with what it returns. */
  listen(hint: () => void): () => void
}

/**
 * The bitcoin node of the tower. One of another network refuses the start; one that cannot be asked does not: the tower takes what clients
 * send and looks again.
 */
export async function openBitcoin(read: Reader, log: Log): Promise<BitcoinLink | undefined> {
  if (!watchesBitcoin(read)) return undefined
  const network = read.text('tower.btc_network') as BitcoinNetwork
  const backend = createBitcoind({ ...placeOf(read, network), login: loginOf(read), network })
  try {
    await backend.check()
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'tower/backend-lost') throw error
    log.line('warn', 'tower/backend-lost', { why: error.message })
  }
  return {
    backend,
    listen(hint) {
      if (!read.has('tower.zmq-hashblock')) return () => {}
      return listenForBlocks({ address: read.text('tower.zmq-hashblock'), hint })
    },
  }
}

function placeOf(read: Reader, network: BitcoinNetwork): { host: string; port: number } {
  const port = read.has('tower.btc_rpc_port')
    ? read.number('tower.btc_rpc_port')
    : rpcPortOf(network)
  if (!read.has('tower.bitcoind')) return { host: read.text('tower.btc_rpc_connect'), port }
  let url: URL
  try {
    url = new URL(read.text('tower.bitcoind'))
  } catch {
    throw badBackend('tower.bitcoind is http://host:port')
  }
  if (url.protocol !== 'http:') throw badBackend('tower.bitcoind is http://host:port')
  if (url.username !== '' || url.password !== '')
    throw badBackend(
      'put credentials into tower.btc_rpc_cookie or tower.btc_rpc_user and tower.btc_rpc_password-file',
    )
  return { host: url.hostname, port: url.port === '' ? port : Number(url.port) }
}

function loginOf(read: Reader): BitcoinLogin {
  const hasUser = read.has('tower.btc_rpc_user') && read.has('tower.btc_rpc_password-file')
  if (hasUser === read.has('tower.btc_rpc_cookie'))
    throw badBackend(
      'set either tower.btc_rpc_user and tower.btc_rpc_password-file, or tower.btc_rpc_cookie',
    )
  if (!hasUser) return { cookie: read.text('tower.btc_rpc_cookie') }
  const file = read.text('tower.btc_rpc_password-file')
  try {
    const [password = ''] = readFileSync(file, 'utf8').split('\n')
    return { user: read.text('tower.btc_rpc_user'), password }
  } catch (cause) {
    throw new CodedError('config/bad-tower-backend', `cannot read ${file}`, { cause })
  }
}

function badBackend(text: string): CodedError {
  return new CodedError('config/bad-tower-backend', text)
}
