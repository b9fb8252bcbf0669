import { banner } from './banner.ts'
import type { Cast } from './cast.ts'
import { Closing } from './closing.ts'
import { writeCrash } from './crash.ts'
import { exit } from './exit.ts'
import { type Ground, openGround } from './ground.ts'
import type { Opened } from './listeners.ts'
import { createLog, type Level, type Log } from './log.ts'
import { watchLoopLag } from './loop-lag.ts'
import { asRefusal } from './refusals.ts'
import type { Effective } from './settings.ts'
import { followClocks } from './siblings.ts'
import { createStatusLine } from './status-line.ts'
import { statusText } from './status-of.ts'
import { stopSignals } from './stop-signals.ts'
import { version } from './version.ts'

/** How long a crashed node may still try to flush. */
const crashDrainMs = 5_000

/** `rockpool run`: opens everything in order, serves until asked to stop, closes in reverse. Resolves to the exit code. */
export async function run(effective: Effective): Promise<number> {
  const startedAt = performance.now()
  const { read, config } = effective
  const log = createLog({
    level: read.text('log.level') as Level,
    format: read.text('log.format') as 'auto' | 'json' | 'pretty',
    ...(read.has('log.file') && { file: read.text('log.file') }),
  })
  for (const warning of config.warnings) log.line('warn', 'config/unknown-variable', { warning })
  const closing = new Closing()
  closing.add(() => log.flush())
  try {
    return await serve(effective, log, closing, startedAt)
  } catch (error) {
    throw asRefusal(error, effective.paths)
  } finally {
    await closing.close()
  }
}

async function serve(
  effective: Effective,
  log: Log,
  closing: Closing,
  startedAt: number,
): Promise<number> {
  const { read, paths } = effective
  const deadlineMs = read.number('shutdown.deadline')
  const ground = await openGround(effective, log, closing)
  const signals = stopSignals(read.flag('devnet.lifeline'))
  closing.add(signals.close)
  let cast: Cast | undefined
  const crash = (error: unknown) => {
    log.line('error', 'node/crash', { error })
    cast?.recording?.recorder.mark(`crash: ${String(error)}`)
    writeCrash(paths, effective.digest, error, cast?.node)
    signals.crash()
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  // Loaded only now: what refuses to start does so without waiting for libraries it never uses.
  const [{ assemble }, { openListeners }] = await Promise.all([
    import('./cast.ts'),
    import('./listeners.ts'),
  ])
  cast = await assemble(effective, ground, log, crash)
  const { node, recording } = cast
  closing.add(async () => cast?.close())
  closing.add(async () => recording?.close())
  closing.add(() => node.stop(deadlineMs))

  await node.start()
  closing.add(
    watchLoopLag(lagP99Ms => node.refs.monitor.tell({ type: 'monitor.health', lagP99Ms })),
  )
  await followClocks(node, effective.read.list('devnet.siblings'))
  const opened = await openListeners({
    effective,
    ground,
    cast,
    log,
    closing,
    startedAt,
    stop: signals.ask,
  })
  node.open()
  announce(effective, ground, cast, opened, log, performance.now() - startedAt)

  const line = createStatusLine(process.stdout, () => statusText(node))
  const why = await signals.asked
  line.stop()
  if (why === 'crashed') {
    await node.stop(crashDrainMs)
    return exit.internal
  }
  return drain(cast, deadlineMs, ground.markClean)
}

function announce(
  effective: Effective,
  { crypto, genesis }: Ground,
  { node, network }: Cast,
  opened: Opened,
  log: Log,
  readyMs: number,
): void {
  const p2p = network.addresses()[0] ?? 'not listening'
  process.stdout.write(
    banner({
      version,
      network: effective.read.text('network'),
      chainId: genesis.chainId,
      digest: effective.digest,
      peerId: network.self,
      p2p,
      ...opened,
      crypto: `${crypto.describe()}, hash-wasm`,
      datadir: effective.paths.root,
      head: node.glance().height,
      readyMs,
      notes:
        crypto.fallbackReason === undefined
          ? []
          : ['slow signatures: npm rebuild secp256k1 --ignore-scripts=false'],
    }),
  )
  log.line('info', 'node/banner', { version, peerId: network.self, p2p, ...opened })
}

/** Prints each phase of the drain with its counts; the exit code says whether the deadline was kept. */
async function drain({ node }: Cast, deadlineMs: number, markClean: () => void): Promise<number> {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`
  console.log(`draining (deadline ${deadlineMs / 1_000} s)`)
  const result = await node.stop(deadlineMs, (phase, text) =>
    console.log(`  ${phase.padEnd(9)} ${text.padEnd(46)} ${seconds()}`),
  )
  const left = Object.entries(result.byType).map(([type, count]) => `${count} ${type}`)
  const behind = left.length === 0 ? 'nothing' : left.join(', ')
  if (!result.drained) {
    console.log(`deadline missed after ${seconds()}; left behind: ${behind}`)
    return exit.drainLate
  }
  markClean()
  console.log(`stopped cleanly in ${seconds()}; left behind: ${behind}`)
  return exit.done
}
