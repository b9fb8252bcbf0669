import type { Server } from 'node:http'
import { CodedError } from '@rockpool/protocol'

/** A listener that could not be opened; the message tells the operator what to do. */
export class ListenError extends CodedError {}

export interface ListenAddress {
  /** Which configuration table it belongs to, for the text of a failure: `rpc`, `ops`. */
  readonly name: string
  readonly ip: string
  /** 0 asks the system for one. */
  readonly port: number
}

/** Opens the listener and resolves with its real port. Rejects with a `ListenError`. */
export function listen(server: Server, { name, ip, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => reject(listenError(cause, { name, ip, port }))
    server.once('error', fail)
    server.listen(port, ip, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function listenError(cause: NodeJS.ErrnoException, { name, ip, port }: ListenAddress): ListenError {
  if (cause.code === 'EADDRINUSE')
    return new ListenError(
      'rpc/port-in-use',
      `${name}.port ${port} is in use (by another program); choose another with --${name}.port or stop it`,
      { cause },
    )
  return new ListenError(
    'rpc/cannot-listen',
    `cannot listen on ${ip}:${port} (${name}): ${cause.code ?? cause.message}`,
    {
      cause,
    },
  )
}
