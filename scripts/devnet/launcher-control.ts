import { startControl } from 'rockpool/control'
import type { Files } from './files.ts'
import type { Fleet } from './fleet.ts'
import type { Running } from './up.ts'

/** Verbs that only the launcher can carry out, since the processes are its children: JSON-RPC on `launcher.sock`. */
export function serveVerbs(files: Files, fleet: Fleet, running: Running) {
  const onNode =
    (act: (name: string) => Promise<unknown>) => async (params: readonly unknown[]) => {
      const [name] = params
      if (typeof name !== 'string') throw new Error('which node? name one, for example n1')
      await act(name)
      return fleet.states().find(each => each.name === name)
    }
  return startControl({
    socket: files.socket,
    methods: new Map<string, (params: readonly unknown[]) => unknown>([
      ['devnet_status', () => fleet.states()],
      ['devnet_kill', onNode(fleet.kill)],
      ['devnet_stop', onNode(fleet.stop)],
      ['devnet_pause', onNode(fleet.pause)],
      ['devnet_resume', onNode(fleet.resume)],
      ['devnet_restart', onNode(async name => running.again(name, await fleet.restart(name)))],
    ]),
    forward: async () =>
      JSON.stringify({
        jsonrpc: '2.0',
        id: null,
        error: { code: -32_601, message: 'the launcher has no such method' },
      }),
  })
}
