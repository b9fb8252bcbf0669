import type { Libp2p } from '@libp2p/interface'
import { CodedError } from '@rockpool/protocol'
import { asError } from './direct.ts'
import type { Router } from './router.ts'

/** The router leaves its next heartbeat armed when it stops, which keeps a process alive for up to a second. */
export function stopHeartbeatWithRouter(router: Router): void {
  const stoppable = router as Router & { stop(): Promise<void> }
  const stop = stoppable.stop.bind(router)
  stoppable.stop = () => {
    const armed = router.status.heartbeatTimeout
    const stopped = stop()
    clearTimeout(armed)
    return stopped
  }
}

/** libp2p writes its addresses into its peer store a second after a listener came or went, also after it has stopped. */
export function stopAddressUpdates(libp2p: Libp2p): void {
  const { components } = libp2p as unknown as {
    components?: { addressManager?: { _updatePeerStoreAddresses?: { stop?(): void } } }
  }
  components?.addressManager?._updatePeerStoreAddresses?.stop?.()
}

const IN_USE = /EADDRINUSE[^\n]*:(\d+)\b/

/** libp2p folds all listen errors into one text; the port in it is what an operator needs. `cause.code` is EADDRINUSE. */
export function startFailure(error: unknown): Error {
  const { name, message } = asError(error)
  const port = IN_USE.exec(message)?.[1]
  if (port !== undefined) {
    const cause = Object.assign(new Error(`address in use: port ${port}`, { cause: error }), {
      code: 'EADDRINUSE',
    })
    return new CodedError(
      'p2p/port-in-use',
      `p2p.listen.tcp ${port} is in use (by another program); choose another with --p2p.listen.tcp or stop it`,
      { cause },
    )
  }
  if (name !== 'UnsupportedListenAddressesError') return asError(error)
  return new CodedError('p2p/listen-failed', `p2p/listen-failed: ${firstError(message)}`, {
    cause: error,
  })
}

/** The first line that names a system error, without the stack behind it. */
function firstError(message: string): string {
  const line = message.split('\n').find(text => /\bE[A-Z]{4,}\b/.test(text))
  return (line ?? 'no listen address can be used').trim()
}
