import { connect } from 'node:net'

/**
 * A load generator with next to no cost of its own, so that a server on the other core is what is measured: raw sockets, one request under
 * way on each, prepared bytes, and answers counted by their length.
 */
export interface LoadOptions {
  readonly port: number
  readonly connections: number
  readonly body: string
  readonly ms: number
}

export interface LoadResult {
  readonly answers: number
  readonly ms: number
  /** The body of the first answer, to see that it is one. */
  readonly first: string
}

async function load({ port, connections, body, ms }: LoadOptions): Promise<LoadResult> {
  const request = Buffer.from(
    `POST / HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  const since = performance.now()
  const until = since + ms
  const done = await Promise.all(
    Array.from({ length: connections }, () => drive(port, request, until)),
  )
  return {
    answers: done.reduce((sum, { answers }) => sum + answers, 0),
    ms: performance.now() - since,
    first: done[0]?.first ?? '',
  }
}

/** One connection until the time is over. All its answers have the length of the first. */
function drive(
  port: number,
  request: Buffer,
  until: number,
): Promise<{ answers: number; first: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let start = Buffer.alloc(0)
    let first = ''
    let expected = 0
    let got = 0
    let answers = 0
    socket.on('error', reject)
    socket.on('connect', () => socket.write(request))
    socket.on('data', chunk => {
      got += chunk.length
      if (expected === 0) {
        start = Buffer.concat([start, chunk])
        expected = answerLength(start)
        if (expected > 0) first = start.subarray(0, expected).toString().split('\r\n\r\n')[1] ?? ''
      }
      if (expected === 0 || got < expected) return
      got -= expected
      answers++
      if (performance.now() < until) socket.write(request)
      else {
        socket.destroy()
        resolve({ answers, first })
      }
    })
  })
}

/** Bytes of head and body together, 0 while the head is not complete. */
function answerLength(start: Buffer): number {
  const end = start.indexOf('\r\n\r\n')
  if (end < 0) return 0
  const length = /content-length: (\d+)/i.exec(start.subarray(0, end).toString('latin1'))?.[1]
  if (length === undefined) throw new Error('the answer has no content-length')
  return end + 4 + Number(length)
}

// As a child process: options in, result out, once each.
if (process.send !== undefined && process.argv[2] === 'load')
  process.on('message', options => {
    void load(options as LoadOptions).then(result => process.send?.(result))
  })
