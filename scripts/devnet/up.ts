import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOfKey } from '@rockpool/adapters/crypto'
import { keyFromSeed, peerIdOf } from '@rockpool/adapters/libp2p/keys'
import { devAccounts, devGenesis, genesisToPlain } from '@rockpool/chain'
import type { UpOptions } from './args.ts'
import { devnetBanner } from './banner.ts'
import { type NodeProcess, type PortsFile, readPorts, startNode, tail } from './child.ts'
import {
  type Files,
  filesOf,
  freshFolder,
  type NetworkFile,
  runningPid,
  writeWhole,
} from './files.ts'
import { choosePorts, type NodePorts } from './ports.ts'
import { askStatus, statusText } from './status.ts'

const readyDeadlineMs = 60_000
const stopDeadlineMs = 35_000
const connectDeadlineMs = 3_000
/** npm may pass the same Ctrl-C on twice; a second one this soon is not a wish to force the stop. */
const doubledSignalMs = 500

interface Plan {
  readonly name: string
  readonly datadir: string
  readonly log: string
  readonly flags: readonly string[]
}

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
  const nodes = plans.map(plan => startNode(plan.name, plan.datadir, plan.log, plan.flags))
  const stopping = onStopSignal()
  try {
    const ready = await Promise.race([allReady(nodes, plans), stopping.asked])
    if (ready === undefined) return await stopAll(nodes, files, stopping)
    const network = describe(plans, ready)
    await Promise.race([allConnected(network), stopping.asked])
    writeWhole(files.network, `${JSON.stringify(network, null, 2)}\n`)
    process.stdout.write(
      devnetBanner({
        network,
        name: options.name,
        block: options.block,
        readyMs: performance.now() - started,
        rpcNote:
          ports[0]?.rpc === 8_545 || options.portBase !== undefined
            ? undefined
            : 'port 8545 is in use, so n0 serves RPC elsewhere',
        crypto: ready[0]?.crypto ?? '',
      }),
    )
    await watch(nodes, network, stopping)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    await stopAll(nodes, files, stopping)
    return 1
  }
  return stopAll(nodes, files, stopping)
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
    director: addressOfKey(directorKey),
    producers: members.map(member => member.producer),
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
    // One node can force reorgs; the others must find its branch better by themselves.
    if (index === 0) {
      writeFileSync(join(datadir, 'keys/director.key'), directorKey.toString('hex'), {
        mode: 0o600,
      })
    }
    const others = Array.from({ length: index }, (_, lower) => address(lower))
    writeFileSync(join(datadir, 'config.toml'), configText(files.genesis, own, others), {
      mode: 0o600,
    })
    return { name: `n${index}`, datadir, log: files.log(index), flags: options.nodeFlags }
  })
}

function configText(genesis: string, ports: NodePorts, dialled: readonly string[]): string {
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

[log]
format = "json"

[devnet]
control = true
`
}

function durationMs(text: string): number {
  const unit = { ms: 1, s: 1_000, m: 60_000 }
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text)
  return match === null ? 0 : Number(match[1]) * unit[match[2] as keyof typeof unit]
}

/** What each node says of itself once it is ready; throws with the end of its log when one gives up. */
async function allReady(
  nodes: readonly NodeProcess[],
  plans: readonly Plan[],
): Promise<PortsFile[]> {
  const deadline = performance.now() + readyDeadlineMs
  return Promise.all(
    nodes.map(async (node, index) => {
      const plan = plans[index] as Plan
      let gone: number | undefined
      void node.exited.then(code => {
        gone = code
      })
      for (;;) {
        const ports = readPorts(plan.datadir, node.process.pid ?? 0)
        if (ports !== undefined) return ports
        if (gone !== undefined)
          throw new Error(`${node.name} ended with code ${gone}:\n${tail(plan.log, 12)}`)
        if (performance.now() > deadline)
          throw new Error(`${node.name} was not ready within 60 s; see ${plan.log}`)
        await new Promise(resolve => setTimeout(resolve, 30))
      }
    }),
  )
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

function describe(plans: readonly Plan[], ready: readonly PortsFile[]): NetworkFile {
  const first = ready[0] as PortsFile
  return {
    chainId: first.chainId,
    genesisHash: first.genesisHash,
    forkDigest: first.forkDigest,
    nodes: ready.map((ports, index) => ({
      name: `n${index}`,
      pid: ports.pid,
      peerId: ports.peerId,
      rpc: ports.rpc ?? '',
      ws: ports.ws ?? '',
      ops: ports.ops ?? '',
      p2p: ports.p2p[0] ?? '',
      datadir: plans[index]?.datadir ?? '',
      log: plans[index]?.log ?? '',
    })),
    accounts: devAccounts.map(({ address, privateKey }) => ({ address, privateKey })),
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

/** The status line on a terminal, a plain line per new height elsewhere, until a stop is asked or every node is gone. */
async function watch(
  nodes: readonly NodeProcess[],
  network: NetworkFile,
  stopping: Stopping,
): Promise<void> {
  const terminal = process.stdout.isTTY === true
  const clear = terminal ? '\r\u001b[2K' : ''
  let gone = 0
  for (const node of nodes)
    void node.exited.then(code => {
      gone += 1
      if (!stopping.stopped()) console.log(`${clear}${node.name} ended with code ${code}`)
    })
  let shown = ''
  while (!stopping.stopped() && gone < nodes.length) {
    const text = statusText(
      await Promise.all(network.nodes.map(node => askStatus(node.name, node.rpc))),
    )
    if (stopping.stopped()) break
    const height = text.split(' | ')[0] ?? ''
    if (terminal)
      process.stdout.write(`${clear}${text.slice(0, (process.stdout.columns ?? 80) - 1)}`)
    else if (height !== shown) console.log(text)
    shown = height
    await Promise.race([new Promise(resolve => setTimeout(resolve, 500)), stopping.asked])
  }
  if (terminal) process.stdout.write(clear)
}

/** Ends every node, waits for their drains, and removes what says that the devnet runs. */
async function stopAll(
  nodes: readonly NodeProcess[],
  files: Files,
  stopping: Stopping,
): Promise<number> {
  console.log(`stopping ${nodes.length} nodes …`)
  for (const node of nodes) if (node.process.exitCode === null) node.process.kill('SIGTERM')
  const late = new Promise<void>(resolve => {
    setTimeout(resolve, stopDeadlineMs).unref()
  })
  const all = Promise.all(nodes.map(node => node.exited))
  await Promise.race([all, late, stopping.forced])
  for (const node of nodes)
    if (node.process.exitCode === null && node.process.signalCode === null)
      node.process.kill('SIGKILL')
  const codes = await all
  rmSync(files.network, { force: true })
  rmSync(files.pid, { force: true })
  const bad = codes.findIndex(code => code !== 0 && code !== 137)
  console.log(
    bad === -1
      ? 'all nodes stopped'
      : `n${bad} ended with code ${codes[bad]}; see ${files.log(bad)}`,
  )
  return bad === -1 ? 0 : 1
}
