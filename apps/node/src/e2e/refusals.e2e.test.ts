import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takenPort } from '../testkit/free-ports.ts'
import { createScratch, type Ended, quietFlags } from '../testkit/scratch.ts'
import { treeOf } from '../testkit/tree.ts'

/* What a node refuses to start on: it says what is wrong, ends with the code scripts rely on, and opens nothing. */

const scratch = createScratch()
const installed = createScratch('installed')
/** A directory that a node has used and stopped in; nobody may change it. */
const used = scratch.path('used')
const producer = `0x${'0a'.repeat(20)}`

const runIn = (datadir: string, flags: readonly string[] = []): Promise<Ended> =>
  scratch.rockpool(['run', '--datadir', datadir, ...quietFlags, ...flags])

/** Refused with this text and code before anything was said to be open. */
function expectRefusal(ended: Ended, code: number, text: string): void {
  expect(ended).toMatchObject({ code, stdout: '', stderr: `${text}\n` })
}

function genesisFile(name: string, fields: Record<string, unknown>): string {
  const file = join(scratch.folder('genesis'), name)
  writeFileSync(file, JSON.stringify({ 'chain-id': 1337, producers: [producer], ...fields }))
  return file
}

function versionOf(datadir: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(datadir, 'VERSION'), 'utf8')) as Record<string, unknown>
}

beforeAll(async () => {
  const node = scratch.run(used, quietFlags)
  await node.ready()
  await node.kill('SIGTERM')
})

afterAll(() => Promise.all([scratch.close(), installed.close()]))

describe.concurrent('a data directory', () => {
  test('in use by another node is left alone', async () => {
    const datadir = scratch.path('busy')
    const node = scratch.run(datadir, quietFlags)
    await node.ready()
    const version = versionOf(datadir)

    expectRefusal(
      await runIn(datadir),
      5,
      `data directory is in use by another Rockpool (pid ${node.pid}): stop it or pass --datadir DIR`,
    )

    expect(versionOf(datadir)).toEqual(version)
    expect((await scratch.rockpool(['status', '--datadir', datadir])).code).toBe(0)
    expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
  })

  test('of somebody else is not touched', async () => {
    const datadir = scratch.folder('photos')
    writeFileSync(join(datadir, 'holiday.jpg'), 'sea')
    const before = treeOf(datadir)
    const text = `${datadir} is not empty and has no VERSION file; choose another --datadir`

    expectRefusal(await runIn(datadir), 5, text)
    expectRefusal(await scratch.rockpool(['init', '--datadir', datadir]), 5, text)

    expect(treeOf(datadir)).toEqual(before)
  })

  test('that is a file is refused', async () => {
    const file = join(scratch.folder('files'), 'file')
    writeFileSync(file, '')

    expectRefusal(await runIn(file), 5, `${file} is not a directory; choose another --datadir`)
  })

  test('of another chain, and of another genesis of this chain, is refused', async () => {
    const before = treeOf(used)
    const otherChain = genesisFile('4242.json', { 'chain-id': 4242 })
    const otherGenesis = genesisFile('other.json', { reward: '1gwei' })

    const [chain, genesis] = await Promise.all([
      runIn(used, ['--genesis', otherChain]),
      runIn(used, ['--genesis', otherGenesis]),
    ])

    expectRefusal(
      chain,
      5,
      'this data directory belongs to network dev (chain 1337), the configuration says dev (4242)',
    )
    expect(genesis).toMatchObject({ code: 5, stdout: '' })
    expect(genesis.stderr).toMatch(
      /^this data directory belongs to genesis 0x[0-9a-f]{64}, the configuration says 0x[0-9a-f]{64}; use the genesis file it was made with, or another --datadir\n$/,
    )
    expect(treeOf(used)).toEqual(before)
  })

  test('of a newer schema names the version that can read it', async () => {
    const datadir = scratch.path('newer')
    await scratch.rockpool(['init', '--datadir', datadir])
    writeFileSync(
      join(datadir, 'VERSION'),
      JSON.stringify({ ...versionOf(used), schema: 7, lastRun: { version: '0.9.0' } }),
    )

    expectRefusal(
      await runIn(datadir),
      5,
      'data directory was written by a newer Rockpool (schema 7, this build knows 1). Install 0.9.0 or newer, or: rockpool backup restore <pre-upgrade backup>',
    )
  })
})

test('a database that cannot be read is refused with its place and left as it is', async () => {
  const datadir = scratch.path('corrupt')
  const node = scratch.run(datadir, quietFlags)
  await node.ready()
  await node.kill('SIGTERM')
  writeFileSync(join(datadir, 'db', 'CURRENT'), 'MANIFEST-999999\n')

  const db = join(datadir, 'db')
  expectRefusal(
    await runIn(datadir),
    5,
    `store/corrupt: ${db} cannot be read (IO error: ${db}/MANIFEST-999999: No such file or directory); nothing was changed. Put a copy of ${datadir} in its place, or pass another --datadir`,
  )
  expect(readFileSync(join(datadir, 'db', 'CURRENT'), 'utf8')).toBe('MANIFEST-999999\n')
})

describe.concurrent('keys', () => {
  test('that are missing beside data are not made anew, unless asked for', async () => {
    const datadir = scratch.path('keyless')
    const first = scratch.run(datadir, quietFlags)
    const { peerId } = await first.ready()
    await first.kill('SIGTERM')
    rmSync(join(datadir, 'keys', 'p2p.key'))

    expectRefusal(
      await runIn(datadir),
      5,
      'keys/p2p.key is missing; restore it from backup: a new key would be a new identity (--new-identity makes one)',
    )
    expect(existsSync(join(datadir, 'keys', 'p2p.key'))).toBe(false)

    const again = scratch.run(datadir, [...quietFlags, '--new-identity'])
    expect((await again.ready()).peerId).not.toBe(peerId)
    await again.kill('SIGTERM')
  })

  test('that others can read are refused with the command that helps', async () => {
    await Promise.all(
      ['p2p.key', 'producer.key'].map(async name => {
        const datadir = scratch.path(`open-${name}`)
        await scratch.rockpool(['init', '--datadir', datadir])
        const file = join(datadir, 'keys', name)
        chmodSync(file, 0o640)

        expectRefusal(await runIn(datadir), 5, `config/key-permissions: run chmod 600 ${file}`)
      }),
    )
  })

  test('that are none are refused', async () => {
    const datadir = scratch.path('nonsense')
    mkdirSync(join(datadir, 'keys'), { recursive: true, mode: 0o700 })
    const file = join(datadir, 'keys', 'p2p.key')
    writeFileSync(file, 'not a key', { mode: 0o600 })

    const text = `config/bad-p2p-key: ${file}: expected 68 bytes of an Ed25519 key`
    expectRefusal(await runIn(datadir), 2, text)
  })
})

test('a port that another program has is named with its key before anything is opened', async () => {
  const taken = await takenPort()
  await Promise.all(
    ['rpc.port', 'ops.port', 'p2p.listen.tcp'].map(async key => {
      const datadir = scratch.path(`port-${key}`)

      expectRefusal(
        await runIn(datadir, [`--${key}`, `${taken.port}`]),
        5,
        `${key} ${taken.port} is in use (by another program); choose another with --${key} or stop it`,
      )
      for (const made of ['db', 'VERSION', 'ports.json', 'rockpool.sock'])
        expect(existsSync(join(datadir, made)), `${key}: ${made}`).toBe(false)
    }),
  )
  await taken.close()
})

describe.concurrent('a genesis file', () => {
  const refused = async (file: string, text: string) => {
    const datadir = scratch.path('bad-genesis')
    expectRefusal(await runIn(datadir, ['--genesis', file]), 2, text)
    expect(existsSync(join(datadir, 'VERSION'))).toBe(false)
  }

  test('with the chain id of a public network is refused', async () => {
    const file = genesisFile('base.json', { 'chain-id': 8453 })

    await refused(
      file,
      `${file}: chain id 8453 is a public network's; a dev chain there could make replayable signatures`,
    )
  })

  test('shows all its mistakes at once', async () => {
    const file = genesisFile('wrong.json', {
      producers: [],
      'gas-limit': 1,
      director: 'me',
      reserve: 1,
    })

    const ended = await runIn(scratch.path('wrong-genesis'), ['--genesis', file])

    expect(ended.code).toBe(2)
    for (const mistake of [
      'reserve: unknown field',
      'producers: must be 1 to 256 addresses, got 0',
      'gas-limit: must be an integer from 5000 to 2147483648, got 1',
      'director: must be an address, 0x and 40 hexadecimal digits',
    ])
      expect(ended.stderr).toContain(mistake)
  })

  test('that is missing or no JSON is named', async () => {
    const missing = scratch.path('nowhere.json')
    const broken = join(scratch.folder('genesis'), 'broken.json')
    writeFileSync(broken, '{ "chain-id": ')

    await refused(missing, `chain.genesis: cannot read ${missing}`)
    const ended = await runIn(scratch.path('broken-genesis'), ['--genesis', broken])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(new RegExp(`^${broken}: .*JSON`))
  })
})

test('a configuration file with two mistakes shows both, with their lines', async () => {
  const datadir = scratch.folder('configured')
  writeFileSync(
    join(datadir, 'config.toml'),
    '[txpool]\npricebump = "ten"\n\n[p2p]\nlisten.tpc = 7625\nstatic = []\n',
    { mode: 0o600 },
  )

  expectRefusal(
    await scratch.rockpool(['run', '--datadir', datadir]),
    2,
    'unknown key "p2p.listen.tpc" in config.toml:5, did you mean "p2p.listen.tcp"?\n' +
      'txpool.pricebump: expected a whole number ≥ 0, got "ten" (config.toml:2)',
  )
})

test.each([
  { version: '18.20.4', refused: true },
  { version: '20.18.3', refused: true },
  { version: '20.19.0', refused: false },
])('Node $version is too old: $refused', async ({ version, refused }) => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`

  const ended = await installed.rockpool(['--version'], {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
  })

  if (!refused) return expect(ended).toMatchObject({ code: 0, stderr: '' })
  expectRefusal(
    ended,
    2,
    `Rockpool needs Node 20.19 or newer; this is v${version}. See https://nodejs.org`,
  )
})
