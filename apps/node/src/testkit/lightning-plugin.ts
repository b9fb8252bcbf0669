import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The watchtower plugin of Core Lightning: named by the environment, or on the path. */
export function findPlugin(): string | undefined {
  const named = process.env.WATCHTOWER_CLIENT_BIN
  const places = (process.env.PATH ?? '').split(delimiter)
  const found = [named ?? [], places.map(folder => join(folder, 'watchtower-client'))]
    .flat(2)
    .find(path => existsSync(path))
  console.log(
    found === undefined
      ? 'skipped: no watchtower-client (set WATCHTOWER_CLIENT_BIN)'
      : `watchtower-client: ${found}`,
  )
  return found
}

/** Speaks with the plugin as a Lightning node does: JSON-RPC on its standard streams, an empty line behind each message. */
export function startPlugin(path: string, folder: string) {
  const child = spawn(path, [], {
    env: { ...process.env, TOWERS_DATA_DIR: folder },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const waiting = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>()
  let text = ''
  let id = 0
  child.stdout.on('data', chunk => {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const message = JSON.parse(text.slice(0, end)) as {
        id?: number
        result?: unknown
        error?: unknown
      }
      text = text.slice(end + 2)
      if (message.id !== undefined) waiting.get(message.id)?.(message)
    }
  })

  function ask(method: string, params: unknown): Promise<unknown> {
    id += 1
    const asked = id
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: asked, method, params })}\n\n`)
    return new Promise((resolve, reject) => {
      waiting.set(asked, ({ result, error }) => {
        waiting.delete(asked)
        if (error === undefined) resolve(result)
        else reject(new Error(JSON.stringify(error)))
      })
    })
  }

  return {
    ask,
    init: () =>
      ask('init', {
        options: {},
        configuration: {
          ...{ 'lightning-dir': folder, 'rpc-file': 'lightning-rpc', startup: true },
          network: 'regtest',
          feature_set: { init: '', node: '', channel: '', invoice: '' },
        },
      }),
    close: () => child.kill('SIGKILL'),
  }
}
