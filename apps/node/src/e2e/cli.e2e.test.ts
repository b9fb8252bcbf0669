import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { until } from '../testkit/devnet.ts'
import { createScratch, type NodeProcess, quietFlags, readPorts } from '../testkit/scratch.ts'
import { treeOf } from '../testkit/tree.ts'

/* The commands of one node, as an operator and his scripts meet them: what they print, leave on disk, and end with. */

const scratch = createScratch('installed')
const { rockpool } = scratch

afterAll(() => scratch.close())

const cleanStopOf = (datadir: string): boolean | undefined => {
  const version = JSON.parse(readFileSync(join(datadir, 'VERSION'), 'utf8')) as {
    lastRun?: { cleanStop: boolean }
  }
  return version.lastRun?.cleanStop
}

describe.concurrent('init', () => {
  test('makes keys and a configuration only their owner can read; a second one changes nothing', async () => {
    const datadir = scratch.path('twice')

    const first = await rockpool(['init', '--datadir', datadir])
    const made = treeOf(datadir)
    const second = await rockpool(['init', '--datadir', datadir])

    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(`made  ${join(datadir, 'keys', 'p2p.key')}`)
    expect(Object.keys(made).sort()).toEqual([
      ...['config.toml', 'keys', join('keys', 'p2p.key'), join('keys', 'producer.key')],
    ])
    for (const file of ['config.toml', 'keys/p2p.key', 'keys/producer.key'])
      expect(lstatSync(join(datadir, file)).mode & 0o777, file).toBe(0o600)
    expect(lstatSync(datadir).mode & 0o777).toBe(0o700)
    expect(second.code).toBe(0)
    expect(second.stdout).toContain(`kept  ${join(datadir, 'keys', 'p2p.key')}`)
    expect(second.stdout).not.toContain('made')
    expect(second.stdout.split('\n').slice(4)).toEqual(first.stdout.split('\n').slice(4))
    expect(treeOf(datadir)).toEqual(made)
  })

  test('with --dry-run says what it would make and writes nothing', async () => {
    const datadir = scratch.path('dry')

    const ended = await rockpool(['init', '--dry-run', '--datadir', datadir])

    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain(`would make ${join(datadir, 'config.toml')}`)
    expect(ended.stdout).toContain('nothing was written')
    expect(existsSync(datadir)).toBe(false)
  })
})

describe.concurrent('a run', () => {
  test('says where it is only when it is ready, answers status and health, drains on stop, and says goodbye on disk', async () => {
    const datadir = scratch.path('life')
    const at = ['--datadir', datadir]
    const node = scratch.run(datadir, quietFlags)

    expect(readPorts(datadir)).toBeUndefined()
    const ports = await node.ready()
    expect((await fetch(`${ports.ops}/readyz`)).status).toBe(200)
    expect(cleanStopOf(datadir)).toBe(false)
    expect(lstatSync(ports.control).mode & 0o777).toBe(0o600)

    const [status, json, health] = await Promise.all([
      rockpool(['status', ...at]),
      rockpool(['status', '--json', ...at]),
      rockpool(['health', ...at]),
    ])
    expect(status.code).toBe(0)
    expect(status.stdout).toMatch(/^state +ready: /)
    expect(json.code).toBe(0)
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ pid: node.pid, state: 'ready', ready: true, network: 'dev', chainId: 1337 },
      ...{ genesis: ports.genesisHash, datadir, peers: 0 },
    })
    expect(health.code).toBe(0)
    expect(JSON.parse(health.stdout)).toMatchObject({ ready: true, state: 'ready' })

    expect(await rockpool(['stop', ...at])).toMatchObject({ code: 0, stdout: 'stopped\n' })
    const ended = await node.exited
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(drainLines(ended.stdout)).toEqual([
      'draining (deadline 30 s)',
      expect.stringMatching(/^ {2}intake +closed: rpc 503, gossip IGNORE, no dials +\d+\.\d s$/),
      expect.stringMatching(/^ {2}work +\d+ messages, \d+ writes left +\d+\.\d s$/),
      expect.stringMatching(/^ {2}actors +stopping \d+ +\d+\.\d s$/),
      expect.stringMatching(/^ {2}network +goodbye said, connections closed +\d+\.\d s$/),
      expect.stringMatching(/^stopped cleanly in \d+\.\d s; left behind: nothing$/),
    ])
    expect(existsSync(join(datadir, 'ports.json'))).toBe(false)
    expect(cleanStopOf(datadir)).toBe(true)
    await expect(fetch(`${ports.ops}/readyz`)).rejects.toThrow('fetch failed')

    for (const verb of ['status', 'health', 'stop'])
      expect(await rockpool([verb, ...at])).toMatchObject({
        code: 3,
        stdout: '',
        stderr: `no node is running for ${datadir} (no control socket); start it with: rockpool run\n`,
      })
  })

  test('killed leaves a stale socket that says so, and the next run takes its place', async () => {
    const datadir = scratch.path('stale')
    const first = scratch.run(datadir, quietFlags)
    const { control } = await first.ready()
    await first.kill('SIGKILL')
    expect(existsSync(control)).toBe(true)

    expect(await rockpool(['status', '--datadir', datadir])).toMatchObject({
      code: 3,
      stderr: `no node is running for ${datadir} (no control socket); start it with: rockpool run; the last run did not stop cleanly\n`,
    })

    const second = scratch.run(datadir, quietFlags)
    await second.ready()
    expect(await rockpool(['status', '--datadir', datadir])).toMatchObject({ code: 0 })
    expect(await second.kill('SIGTERM')).toMatchObject({ code: 0 })
  })

  test.each([
    { first: 'SIGTERM', second: 'SIGINT', code: 130 },
    { first: 'SIGINT', second: 'SIGTERM', code: 143 },
  ] as const)(
    'that is draining after $first ends at once on $second, with $code',
    async ({ first, second, code }) => {
      const node = scratch.run(scratch.path(`forced-${code}`), quietFlags)
      const held = await holdDrain(node)

      node.child.kill(first)
      await until('the drain has begun', () => node.output().includes('draining (deadline'))

      expect((await node.kill(second)).code).toBe(code)
      expect(cleanStopOf(node.datadir)).toBe(false)
      held.destroy()
    },
  )
})

/** The end of the RPC listener waits a second for a request that has begun: long enough for a second signal. */
async function holdDrain(node: NodeProcess) {
  const { hostname, port } = new URL((await node.ready()).rpc)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('connect', resolve))
  await new Promise(resolve => socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n', resolve))
  return socket
}

/** What the drain printed, without the log between. */
function drainLines(stdout: string): string[] {
  const lines = stdout.split('\n').filter(line => line !== '' && !line.startsWith('{'))
  return lines.slice(lines.findIndex(line => line.startsWith('draining')))
}

describe.concurrent('a mistyped command line', () => {
  test('names the nearest command', async () => {
    expect(await rockpool(['statsu'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'unknown command "statsu", did you mean "status"?\n',
    })
  })

  test('names every wrong key at once, with the nearest one', async () => {
    const ended = await rockpool(['run', '--rpc.prot', '1', '--txpool.pricebump', 'ten'])

    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(
      ended.stderr
        .split('\n')
        .filter(line => line !== '')
        .sort(),
    ).toEqual([
      'txpool.pricebump: expected a whole number ≥ 0, got "ten" (--txpool.pricebump)',
      'unknown key "rpc.prot" in the command line, did you mean "rpc.port"?',
    ])
  })
})
