import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { createFrames, frame, greeting, ready } from '../chain/zmtp.ts'
import { openRegtestNode, Refused } from './regtest-node.ts'
import { regtestCalls } from './regtest-rpc.ts'

export type BitcoinFacade = Awaited<ReturnType<typeof startBitcoinFacade>>

/** Witnesses are valid from here on in this chain, and the first coinbases may be spent. */
const firstBlocks = 450

/**
 * A regtest bitcoin node with the JSON-RPC of bitcoind over HTTP and its notices of blocks, in this process: what talks to a bitcoind cannot
 * tell, and a test can make its blocks, fork it, cut it off and price its mempool.
 */
export async function startBitcoinFacade(options: { readonly login?: string } = {}) {
  const login = options.login ?? 'tower:p+w/d:=?'
  const regtest = await openRegtestNode()
  let prunedBelow = 0
  const calls = regtestCalls(regtest, { prunedBelow: () => prunedBelow })
  const heard: { method: string; params: readonly unknown[] }[] = []
  const notices = await startNotices()
  let server: Server | undefined
  let port = 0

  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const wanted = `Basic ${Buffer.from(login).toString('base64')}`
    if (request.headers.authorization !== wanted) return { status: 401, body: '' }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
      id: unknown
      method: string
      params: readonly unknown[]
    }
    heard.push({ method, params })
    try {
      const call = calls[method]
      if (call === undefined) throw new Refused(-32_601, 'Method not found')
      const result = (await call(params)) ?? null
      return { status: 200, body: JSON.stringify({ result, error: null, id }) }
    } catch (error) {
      const { message } = error as Error
      const code = error instanceof Refused ? error.code : -1
      const body = JSON.stringify({ result: null, error: { code, message }, id })
      return { status: 500, body }
    }
  }

  /** Answers on the port it had before, or on any. */
  async function up(): Promise<void> {
    const listening = createServer((request, response) => {
      void answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${body}\n`)
      })
    })
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject)
      listening.listen(port, '127.0.0.1', resolve)
    })
    port = (listening.address() as AddressInfo).port
    server = listening
  }

  /** Nobody reaches it; its chain goes on. */
  async function down(): Promise<void> {
    const closing = server
    server = undefined
    if (closing === undefined) return
    closing.closeAllConnections()
    await new Promise(resolve => closing.close(resolve))
  }

  async function mine(keyHash: Uint8Array, count = 1): Promise<string[]> {
    const hashes = await regtest.mine(keyHash, count)
    notices.tell(Buffer.from(hashes.at(-1) ?? '', 'hex'))
    return hashes
  }

  await regtest.mine(new Uint8Array(20).fill(1), firstBlocks)
  await up()
  const [user = '', ...rest] = login.split(':')
  return {
    ...{ host: '127.0.0.1', user, password: rest.join(':') },
    ...{ up, down, mine, heard, setFloor: regtest.setFloor },
    get port() {
      return port
    },
    get height() {
      return regtest.node.chain.height
    },
    /** Where notices of blocks are published. */
    zmq: notices.address,
    /** The notices say something, true or not, about a block. */
    notice: notices.tell,
    call: (method: string, params: readonly unknown[] = []) => {
      const call = calls[method]
      if (call === undefined) throw new Refused(-32_601, 'Method not found')
      return call(params)
    },
    async reorg(keyHash: Uint8Array, depth: number) {
      await regtest.reorg(keyHash, depth)
      notices.tell(Buffer.from(regtest.node.chain.tip.rhash(), 'hex'))
    },
    /** Blocks below this height are thrown away, as far as anybody can ask. */
    prune(height: number) {
      prunedBelow = height
    },
    async close() {
      await down()
      await notices.close()
      await regtest.close()
    },
  }
}

/** Publishes hashes of blocks as a bitcoin node does: topic, hash, counter. */
async function startNotices() {
  const sockets = new Set<Socket>()
  let sequence = 0
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.write(greeting)
    socket.write(ready('PUB'))
    const frames = createFrames(() => {})
    socket.on('data', chunk => frames.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tell(hash: Uint8Array) {
      const counter = Buffer.alloc(4)
      counter.writeUInt32LE((sequence += 1))
      for (const socket of sockets) {
        socket.write(frame(Buffer.from('hashblock'), { more: true }))
        socket.write(frame(hash, { more: true }))
        socket.write(frame(counter))
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
