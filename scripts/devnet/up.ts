import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOfKey } from '@rockpool/adapters/crypto'
import { keyFromSeed, peerIdOf } from '@rockpool/adapters/libp2p/keys'
import { devAccounts, devGenesis, genesisToPlain } from '@rockpool/chain'
import { durationMs, type UpOptions } from './args.ts'
import { devnetBanner } from './banner.ts'
import type { PortsFile } from './child.ts'
import {
  type Files,
  filesOf,
  freshFolder,
  type NetworkFile,
  runningPid,
  writeWhole,
} from './files.ts'
import { type Fleet, type Plan, startFleet } from './fleet.ts'
import { serveVerbs } from './launcher-control.ts'
import { choosePorts, type NodePorts } from './ports.ts'
import { askAll, askStatus, statusText } from './status.ts'

const connectDeadlineMs = 3_000
/** npm may pass the same Ctrl-C on twice; a second one this soon is not a wish to force the stop. */
const doubledSignalMs = 500

/** Starts a devnet, shows it, and stops it with all its processes. Resolves to the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const started = performance.now()
  const files = filesOf(options.name)
  const running = runningPid(files)
  if (running !== undefined) {
    console.error(
      `devnet "${options.name}" is already running (pid ${running}); npm run devnet -- down, or --name other`,
    )
    return 5
  }
  freshFolder(files, options.keep)
  const ports = await choosePorts(options.nodes, options.portBase)
  const plans = await layOut(files, ports, options)
  const stopping = onStopSignal()
  const fleet = startFleet(plans, (name, code) => {
    if (!stopping.stopped()) console.log(`${clearLine()}${name} ended with code ${code}`)
  })
  let control: { close(): Promise<void> } | undefined
  try {
    const ready = await Promise.race([fleet.allReady(), stopping.asked])
    if (ready === undefined) return await stopAll(fleet, files, stopping)
    const running = createRunning(files, plans, ready)
    control = await serveVerbs(files, fleet, running)
    await Promise.race([allConnected(running.network()), stopping.asked])
    running.write()
    process.stdout.write(
      devnetBanner({
        network: running.network(),
        name: options.name,
        block: options.block,
        readyMs: performance.now() - started,
        rpcNote:
          ports[0]?.rpc === 8_545 || options.portBase !== undefined
            ? undefined
            : 'port 8545 is in use, so n0 serves RPC elsewhere',
        crypto: ready[0]?.crypto ?? '',
        stop: options.daemon ? 'npm run devnet -- down' : 'Ctrl-C',
      }),
    )
    await watch(fleet, running.network, options, stopping)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    await stopAll(fleet, files, stopping)
    await control?.close()
    return 1
  }
  const code = await stopAll(fleet, files, stopping)
  await control.close()
  return code
}

/** Keys, genesis and configuration of every node: n<i> dials n<j> for j < i, so that each pair has one connection. */
async function layOut(
  files: Files,
  ports: readonly NodePorts[],
  options: UpOptions,
): Promise<Plan[]> {
  const keys = await Promise.all(
    ports.map(async () => {
      const p2pKey = await keyFromSeed(randomBytes(32))
      const producerKey = randomBytes(32)
      return {
        p2pKey,
        peerId: peerIdOf(p2pKey),
        producerKey,
        producer: await addressOfKey(producerKey),
      }
    }),
  )
  // Of two nodes the one with the lower id dials at once, the other waits whether it is dialled.
  const members = keys.sort((left, right) => (left.peerId < right.peerId ? 1 : -1))
  const directorKey = randomBytes(32)
  const genesis = devGenesis({
    producers: members.map(member => member.producer),
    director: addressOfKey(directorKey),
    blockTimeMs: durationMs(options.block),
    timeSeconds: Math.floor(Date.now() / 1_000),
  })
  writeFileSync(files.genesis, `${JSON.stringify(genesisToPlain(genesis), null, 2)}\n`)
  const address = (index: number) =>
    `/ip4/127.0.0.1/tcp/${ports[index]?.p2p}/p2p/${members[index]?.peerId}`
  return members.map((member, index) => {
    const datadir = files.node(index)
    const own = ports[index] as NodePorts
    mkdirSync(join(datadir, 'keys'), { recursive: true, mode: 0o700 })
    writeFileSync(join(datadir, 'keys/p2p.key'), Buffer.from(member.p2pKey).toString('hex'), {
      mode: 0o600,
    })
    writeFileSync(join(datadir, 'keys/producer.key'), member.producerKey.toString('hex'), {
      mode: 0o600,
    })
    // Only one node can build the side branches of a forced reorganisation.
    if (index === 0)
      writeFileSync(join(datadir, 'keys/director.key'), directorKey.toString('hex'), {
        mode: 0o600,
      })
    const others = Array.from({ length: index }, (_, lower) => address(lower))
    const siblings = members.flatMap((_, other) => (other === index ? [] : [files.node(other)]))
    const config = configText(files.genesis, own, others, siblings)
    writeFileSync(join(datadir, 'config.toml'), config, {
      mode: 0o600,
    })
    return { name: `n${index}`, datadir, log: files.log(index), flags: options.nodeFlags }
  })
}

function configText(
  genesis: string,
  ports: NodePorts,
  dialled: readonly string[],
  siblings: readonly string[],
): string {
  return `# Written by the devnet launcher.
[chain]
genesis = ${JSON.stringify(genesis)}

[p2p]
profile = "devnet"
static = ${JSON.stringify(dialled)}
listen.ip = "127.0.0.1"
listen.tcp = ${ports.p2p}

[rpc]
port = ${ports.rpc}
corsdomain = ["http://localhost:*", "http://127.0.0.1:*"]

[ops]
port = ${ports.ops}

[tower]
enabled = true
api_port = ${ports.tower}

[log]
format = "json"

[devnet]
control = true
faults = true
siblings = ${JSON.stringify(siblings)}
`
}

/** Waits until everybody sees everybody, so that the first transaction finds its way; not for ever, since it would find it a little later too. */
async function allConnected({ nodes }: NetworkFile): Promise<void> {
  const deadline = performance.now() + connectDeadlineMs
  let alone = [...nodes]
  while (performance.now() < deadline) {
    const statuses = await Promise.all(alone.map(node => askStatus(node.name, node.rpc)))
    alone = alone.filter((_, index) => (statuses[index]?.peers ?? 0) < nodes.length - 1)
    if (alone.length === 0) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

export type Running = ReturnType<typeof createRunning>

/** What `network.json` says, as nodes come back with other pids. */
function createRunning(files: Files, plans: readonly Plan[], ready: readonly PortsFile[]) {
  const first = ready[0] as PortsFile
  const said = new Map(plans.map(({ name }, index) => [name, ready[index] as PortsFile]))

  const network = (): NetworkFile => ({
    chainId: first.chainId,
    genesisHash: first.genesisHash,
    forkDigest: first.forkDigest,
    nodes: plans.map(({ name, datadir, log }) => {
      const { pid, peerId, rpc = '', ws = '', ops = '', p2p, tower } = said.get(name) ?? first
      const ends = { rpc, ws, ops, p2p: p2p[0] ?? '', ...(tower && { tower }) }
      return { name, pid, peerId, ...ends, datadir, log }
    }),
    accounts: devAccounts.map(({ address, privateKey }) => ({ address, privateKey })),
  })
  const write = (): void => writeWhole(files.network, `${JSON.stringify(network(), null, 2)}\n`)

  return {
    network,
    write,
    /** A node has come back. */
    again(name: string, ports: PortsFile): void {
      said.set(name, ports)
      write()
    },
  }
}

type Stopping = ReturnType<typeof onStopSignal>

function onStopSignal() {
  let firstAt: number | undefined
  let ask: () => void = () => {}
  const asked = new Promise<undefined>(resolve => {
    ask = () => resolve(undefined)
  })
  let force: () => void = () => {}
  const forced = new Promise<void>(resolve => {
    force = resolve
  })
  const heard = () => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      ask()
    } else if (performance.now() - firstAt > doubledSignalMs) force()
  }
  process.on('SIGINT', heard)
  process.on('SIGTERM', heard)
  process.on('SIGHUP', heard)
  return { asked, forced, stopped: () => firstAt !== undefined }
}

/** The status line on a terminal, a plain line per new height elsewhere, until a stop is asked or every node has gone by itself. */
async function watch(
  fleet: Fleet,
  network: () => NetworkFile,
  { daemon }: UpOptions,
  stopping: Stopping,
): Promise<void> {
  const terminal = process.stdout.isTTY === true
  let shown = ''
  while (!stopping.stopped() && fleet.isWorthWatching()) {
    if (!daemon) {
      const text = statusText(await askAll(network(), fleet.states()))
      if (stopping.stopped()) break
      const height = text.split(' | ')[0] ?? ''
      if (terminal)
        process.stdout.write(`${clearLine()}${text.slice(0, (process.stdout.columns ?? 80) - 1)}`)
      else if (height !== shown) console.log(text)
      shown = height
    }
    await Promise.race([new Promise(resolve => setTimeout(resolve, 500)), stopping.asked])
  }
  process.stdout.write(clearLine())
}

const clearLine = (): string => (process.stdout.isTTY === true ? '\r\u001b[2K' : '')

/** Ends every node, waits for their drains, and removes what says that the devnet runs. */
async function stopAll(fleet: Fleet, files: Files, stopping: Stopping): Promise<number> {
  console.log(`stopping ${fleet.states().length} nodes …`)
  const [bad] = await fleet.stopAll(stopping.forced)
  rmSync(files.network, { force: true })
  rmSync(files.pid, { force: true })
  console.log(
    bad === undefined
      ? 'all nodes stopped'
      : `${bad.name} ended with code ${bad.code}; see ${files.logs}`,
  )
  return bad === undefined ? 0 : 1
}
