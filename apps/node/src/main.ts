import '@rockpool/adapters/polyfill'
import { Command } from 'commander'
import { resolveDevnetNode } from './devnet-node.ts'
import { exit, Refusal } from './exit.ts'
import { nearest } from './nearest.ts'
import { version } from './version.ts'

/** Commands are loaded when they are called, so that `--help` is quick. */
async function main(argv: readonly string[]): Promise<number> {
  let code: number = exit.done
  const program = new Command('rockpool')
    .description('A peer-to-peer node of independent actors: transaction pool, dev chain, gossip.')
    .version(version, '-v, --version')
    .addHelpText(
      'after',
      '\nOn a devnet, --node n0 [--devnet name] stands for --datadir of that node.',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showHelpAfterError(false)

  const verb = (name: string, sentence: string, run: (flags: string[]) => Promise<number>) =>
    program
      .command(name)
      .description(sentence)
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(name === 'run' || name === 'txpool' ? false : '-h, --help')
      .argument('[flags...]', 'configuration keys, for example --rpc.port 0')
      .action(async (flags: string[]) => {
        code = await run(flags)
      })

  verb(
    'init',
    'make data directory, keys and configuration file; --dry-run writes nothing',
    async flags => {
      const { init } = await import('./init.ts')
      return init(
        flags.filter(flag => flag !== '--dry-run'),
        flags.includes('--dry-run'),
      )
    },
  )
  verb('run', 'run the node; --help lists every configuration key', async flags => {
    if (flags.includes('--help') || flags.includes('-h')) {
      const { configHelp } = await import('./config-verbs.ts')
      console.log(configHelp())
      return exit.done
    }
    // Looked at before everything else is loaded: a mistyped flag is answered at once.
    const { effectiveSettings } = await import('./settings.ts')
    const effective = effectiveSettings(flags)
    const { run } = await import('./run.ts')
    return run(effective)
  })
  verb('status', 'show the running node and why it is as it is; --json', async flags => {
    const { status } = await import('./status.ts')
    return status(flags)
  })
  verb(
    'health',
    'exit 0 when the node is ready, 1 when not; prints what /readyz says',
    async flags => {
      const { health } = await import('./status.ts')
      return health(flags)
    },
  )
  verb('stop', 'drain and stop the running node', async flags => {
    const { stop } = await import('./status.ts')
    return stop(flags)
  })
  verb(
    'config',
    'show [--origin] | check [file]: effective configuration and its errors',
    async flags => {
      const { configVerb } = await import('./config-verbs.ts')
      return configVerb(flags)
    },
  )

  verb(
    'chain',
    'head | block <number|hash> | reorgs: what the running node says of its chain; --json',
    async flags => {
      const { chainVerb } = await import('./chain-verbs.ts')
      return chainVerb(flags)
    },
  )

  verb(
    'txpool',
    'status | ls | show | why | send | drop | watch | settip | journal: the pool of the running node; --json',
    async flags => {
      const { txpoolVerb } = await import('./txpool-verbs.ts')
      return txpoolVerb(flags)
    },
  )
  verb(
    'account',
    'new | ls | import <file> | export <address>: encrypted keys of this data directory; --json',
    async flags => {
      const { accountVerb } = await import('./account-verbs.ts')
      return accountVerb(flags)
    },
  )

  verb(
    'peers',
    'ls [--all] | why <id> | ban <id|ip|range> [--for 2h] | unban <subject> | protect | unprotect <id>: whom the running node knows and keeps out; --json',
    async flags => {
      const { peersVerb } = await import('./peers-verbs.ts')
      return peersVerb(flags)
    },
  )
  verb(
    'tower',
    'info | users | user <id> | appointments [locator] | why <locator> | breaches | deferred | verify-receipt <file>: the watchtower of the running node; --json',
    async flags => {
      const { towerVerb } = await import('./tower-verbs.ts')
      return towerVerb(flags)
    },
  )
  verb(
    'actors',
    'ls | trace <message id> [--mermaid|--chrome]: what each actor has to do, how a message came about; --json',
    async flags => {
      const { actorsVerb } = await import('./actors-verbs.ts')
      return actorsVerb(flags)
    },
  )
  verb(
    'deadletters',
    'ls | show <number>: messages nobody handled, and why; --json',
    async flags => {
      const { lettersVerb } = await import('./actors-verbs.ts')
      return lettersVerb(flags)
    },
  )
  verb(
    'record',
    'start | stop | mark <text> | ls | export [--redact]: the flight recorder',
    async flags => {
      const { recordVerb } = await import('./record-verbs.ts')
      return recordVerb(flags)
    },
  )
  verb(
    'replay',
    '<file> [--until turn|time] [--break path:type] [--trace id]: a recorded run again; --json',
    async flags => {
      const { replayVerb } = await import('./record-verbs.ts')
      return replayVerb(flags)
    },
  )

  const [name] = argv
  if (
    name !== undefined &&
    !name.startsWith('-') &&
    name !== 'help' &&
    !program.commands.some(each => each.name() === name)
  ) {
    const hint = nearest(
      name,
      program.commands.map(each => each.name()),
    )
    throw new Refusal(
      exit.usage,
      `unknown command "${name}"${hint === undefined ? '; see rockpool --help' : `, did you mean "${hint}"?`}`,
    )
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (
      error instanceof Error &&
      'exitCode' in error &&
      'code' in error &&
      String(error.code).startsWith('commander.')
    )
      return error.exitCode === 0 ? exit.done : exit.usage
    throw error
  }
  return code
}

try {
  process.exitCode = await main(resolveDevnetNode(process.argv.slice(2), process.cwd()))
} catch (error) {
  if (error instanceof Refusal) {
    console.error(error.message)
    process.exitCode = error.exitCode
  } else {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error)
    process.exitCode = exit.internal
  }
}
