import { readFileSync, rmSync } from 'node:fs'
import { askSocket, socketPath } from 'rockpool/socket'
import { durationMs, UsageError, whole } from './args.ts'
import { type Files, filesOf, type NetworkFile, type NodeEntry, runningPid } from './files.ts'
import { linkWish, partsOf, weiOf } from './link-args.ts'
import { mergedLogs } from './logs.ts'
import { askAll, statusText } from './status.ts'

/** A refusal of the running network, with its exit code. */
export class VerbError extends Error {
  readonly exitCode: number
  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Nodes answer at once; one that is paused never does. */
const nodeTimeoutMs = 10_000
const receiptDeadlineMs = 30_000

/** What can be done to a running devnet. Each resolves to the lines it prints. */
export const verbs: Readonly<
  Record<string, (devnet: Devnet, args: readonly string[]) => Promise<string[]>>
> = { status, logs, link, partition, heal, mine, reorg, fund, speed, jump, ...processVerbs() }

export interface Devnet {
  readonly files: Files
  readonly network: NetworkFile
}

/** The devnet of that name, or exit 3. */
export function runningDevnet(name: string): Devnet {
  const files = filesOf(name)
  if (runningPid(files) === undefined) throw notRunning(name)
  try {
    return { files, network: JSON.parse(readFileSync(files.network, 'utf8')) as NetworkFile }
  } catch {
    throw new VerbError(3, `devnet "${name}" is still starting`)
  }
}

const notRunning = (name: string) =>
  new VerbError(3, `devnet "${name}" is not running; start it with: npm run devnet -- up`)

/** Ends a network and waits for it. With `wipe` its files go too, also those of one that does not run. */
export async function down(name: string, wipe: boolean): Promise<void> {
  const files = filesOf(name)
  const pid = runningPid(files)
  if (pid === undefined && !wipe) throw notRunning(name)
  if (pid !== undefined) process.kill(pid, 'SIGTERM')
  while (runningPid(files) !== undefined) await new Promise(resolve => setTimeout(resolve, 50))
  if (!wipe) return
  rmSync(files.folder, { recursive: true, force: true })
  rmSync(files.launcherLog, { force: true })
}

interface MemberState {
  readonly name: string
  readonly state: string
  readonly pid: number
}

async function askLauncher<T>({ files }: Devnet, method: string, params: unknown[]): Promise<T> {
  return resultOf(await askSocket(files.socket, method, params)) as T
}

async function askNode<T>(
  node: NodeEntry,
  method: string,
  params: readonly unknown[] = [],
): Promise<T> {
  const answer = await askSocket(
    socketPath(node.datadir, 'rockpool'),
    method,
    params,
    nodeTimeoutMs,
  ).catch((error: Error) => {
    throw new VerbError(3, `${node.name} does not answer (${error.name}: ${error.message})`)
  })
  return resultOf(answer) as T
}

function resultOf({ result, error }: Awaited<ReturnType<typeof askSocket>>): unknown {
  if (error !== undefined) throw new VerbError(1, error.message)
  return result
}

const statesOf = (devnet: Devnet) => askLauncher<MemberState[]>(devnet, 'devnet_status', [])

/** Nodes that can be asked now, and a line for each that cannot. */
async function reachable(devnet: Devnet): Promise<{ nodes: NodeEntry[]; others: string[] }> {
  const states = new Map((await statesOf(devnet)).map(({ name, state }) => [name, state]))
  const nodes = devnet.network.nodes.filter(({ name }) => states.get(name) === 'running')
  const others = [...states].filter(([, state]) => state !== 'running')
  return { nodes, others: others.map(([name, state]) => `${name} is ${state}, left as it is`) }
}

function nodeNamed({ network }: Devnet, name: string | undefined): NodeEntry {
  const found = network.nodes.find(node => node.name === name)
  if (found !== undefined) return found
  const names = network.nodes.map(node => node.name).join(', ')
  throw new UsageError(`no node "${name ?? ''}"; there are ${names}`)
}

function processVerbs() {
  const past = {
    kill: 'killed',
    restart: 'restarted',
    pause: 'paused',
    resume: 'resumed',
    stop: 'stopped',
  }
  return Object.fromEntries(
    Object.entries(past).map(([verb, done]) => [
      verb,
      async (devnet: Devnet, [name]: readonly string[]) => {
        nodeNamed(devnet, name)
        const { pid } = await askLauncher<MemberState>(devnet, `devnet_${verb}`, [name])
        return [verb === 'restart' ? `${name} ${done} (pid ${pid})` : `${name} ${done}`]
      },
    ]),
  )
}

async function status(devnet: Devnet): Promise<string[]> {
  return [statusText(await askAll(devnet.network, await statesOf(devnet)))]
}

async function logs(devnet: Devnet, [name]: readonly string[]): Promise<string[]> {
  return mergedLogs(name === undefined ? devnet.network.nodes : [nodeNamed(devnet, name)])
}

async function link(devnet: Devnet, args: readonly string[]): Promise<string[]> {
  const { from, to, oneWay, fault } = linkWish(args)
  const ends = [nodeNamed(devnet, from), nodeNamed(devnet, to)] as const
  const ways = oneWay ? [ends] : [ends, [ends[1], ends[0]] as const]
  const said = Object.entries(fault).map(([name, value]) => `${name} ${value}`)
  const lines: string[] = []
  for (const [node, other] of ways) {
    await askNode(node, 'devnet_setLink', [{ to: other.peerId, ...fault }])
    lines.push(`${node.name} -> ${other.name}: ${said.length === 0 ? 'whole' : said.join(', ')}`)
  }
  return lines
}

async function partition(devnet: Devnet, [spec]: readonly string[]): Promise<string[]> {
  const all = devnet.network.nodes
  const parts = partsOf(
    spec,
    all.map(({ name }) => name),
  )
  const { nodes, others } = await reachable(devnet)
  for (const node of nodes) {
    const own = parts.find(part => part.includes(node.name)) ?? []
    const cut = all.filter(({ name }) => !own.includes(name)).map(({ peerId }) => peerId)
    await askNode(node, 'devnet_partition', [cut])
  }
  return [`parted: ${parts.map(part => part.join(',')).join(' | ')}`, ...others]
}

async function heal(devnet: Devnet): Promise<string[]> {
  const { nodes, others } = await reachable(devnet)
  await Promise.all(nodes.map(node => askNode(node, 'devnet_heal')))
  return [`healed: ${nodes.map(({ name }) => name).join(',')}`, ...others]
}

/** The first node that can be asked; commands to the chain go there. */
async function anyNode(devnet: Devnet): Promise<NodeEntry> {
  const [node] = (await reachable(devnet)).nodes
  if (node === undefined) throw new VerbError(3, 'no node is running')
  return node
}

async function mine(devnet: Devnet, [count = '1']: readonly string[]): Promise<string[]> {
  const node = await anyNode(devnet)
  const hashes = await askNode<string[]>(node, 'devnet_mine', [whole('mine', count, 1, 256)])
  return hashes.map(hash => `${node.name} made ${hash}`)
}

async function reorg(devnet: Devnet, args: readonly string[]): Promise<string[]> {
  const [depth = '', flag, keep, ...more] = args
  if ((flag !== undefined && flag !== '--keep') || more.length > 0)
    throw new UsageError('write for example: reorg 3 --keep 0.5')
  const share = Number(keep ?? 1)
  if (!(share >= 0 && share <= 1)) throw new UsageError(`--keep ${keep}: a share from 0 to 1`)
  // Only n0 has the director's key.
  const answer = await askNode(nodeNamed(devnet, 'n0'), 'devnet_reorg', [
    whole('reorg', depth, 1, 1_000),
    ...(flag === undefined ? [] : [{ keepTxs: share }]),
  ])
  return [JSON.stringify(answer, null, 2)]
}

interface ClockView {
  readonly nowMs: number
  readonly speed: number
}

/** Told to every node that runs: one whose chain clock went otherwise would put off the blocks of the others. */
async function setClocks(devnet: Devnet, method: string, wish: number): Promise<string[]> {
  const { nodes, others } = await reachable(devnet)
  const views = await Promise.all(nodes.map(node => askNode<ClockView>(node, method, [wish])))
  const lines = views.map(
    ({ nowMs, speed }, index) =>
      `${nodes[index]?.name} ${new Date(nowMs).toISOString()}, ${speed} times as fast`,
  )
  return [...lines, ...others]
}

async function speed(devnet: Devnet, [times, ...more]: readonly string[]): Promise<string[]> {
  const wish = Number(times?.replace(/x$/, ''))
  if (!Number.isFinite(wish) || more.length > 0)
    throw new UsageError('write for example: speed 10x (0.1 to 1000)')
  return setClocks(devnet, 'devnet_chainSpeed', wish)
}

async function jump(devnet: Devnet, [by, ...more]: readonly string[]): Promise<string[]> {
  if (by === undefined || more.length > 0) throw new UsageError('write for example: jump 1h')
  return setClocks(devnet, 'devnet_jump', durationMs(by))
}

async function fund(devnet: Devnet, [to, ether = '1']: readonly string[]): Promise<string[]> {
  if (to === undefined || !/^0x[0-9a-f]{40}$/i.test(to))
    throw new UsageError('write for example: fund 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 10')
  const wei = weiOf(ether)
  const from = devnet.network.accounts[0]?.address
  const node = await anyNode(devnet)
  const hash = await askNode<string>(node, 'eth_sendTransaction', [
    { from, to, value: `0x${wei.toString(16)}` },
  ])
  const deadline = Date.now() + receiptDeadlineMs
  for (;;) {
    const receipt = await askNode<{ blockNumber: string } | null>(
      node,
      'eth_getTransactionReceipt',
      [hash],
    )
    if (receipt !== null) return [`${ether} ether to ${to} in block ${Number(receipt.blockNumber)}`]
    if (Date.now() > deadline) throw new VerbError(1, `${hash} is sent but in no block yet`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
