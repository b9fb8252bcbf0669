/** The simulator's command line. Exit codes: 0 clean, 127 crash, 128 liveness, 129 correctness, 2 wrong usage. */
import { Command, CommanderError } from 'commander'
import { bisectCommand } from './commands/bisect.ts'
import { corpusCommand, gateCommand } from './commands/corpus.ts'
import { plantedCommand } from './commands/planted.ts'
import { soakCommand, speedCommand } from './commands/rates.ts'
import { addScenario } from './commands/scenario.ts'
import { oneCommand, replayCommand, shrinkCommand, twiceCommand } from './commands/single.ts'
import { swarmCommand } from './commands/swarm.ts'
import { UsageError } from './usage.ts'

let exitCode = 0
// Whoever reads only the first lines has what it wanted.
process.stdout.on('error', () => process.exit(exitCode))

/** A command's action: what it resolves to is the exit code. */
function ends<A extends readonly unknown[]>(run: (...args: A) => Promise<number> | number) {
  return async (...args: A) => {
    exitCode = await run(...args)
  }
}

function drawn(command: Command): Command {
  return command
    .option('--seconds <s>', 'virtual seconds instead of the drawn ones')
    .option('--nodes <n>', 'nodes instead of the drawn number')
    .option('--chain <kind>', 'dev or source, instead of the drawn one')
    .option(
      '--family <name>',
      'worlds about one thing: sick, whose honest nodes are often not well',
    )
    .option('--tx <n>', 'transactions a second, instead of the drawn rate')
    .option('--planted <bug>', 'with a mistake in every node')
    .option('--json', 'for programs')
}

const program = new Command('sim')
  .description('Runs networks of nodes under one seed, with faults, and finds what breaks.')
  .exitOverride()

drawn(program.command('swarm').description('draws and runs seeds'))
  .option('--seeds <n>', 'how many', '50')
  .option('--from <n>', 'the first', '0')
  .option('--of-commit', 'seeds that follow from the commit')
  .option('--jobs <n>', 'processes at work')
  .option('--time-limit <t>', 'no seed begins after this')
  .option('--sees', 'fails when something that must be seen was not')
  .option('--results <folder>', 'also writes result.json and junit.xml there')
  .action(ends(swarmCommand))
drawn(program.command('one').description('one run').argument('<seed or file>'))
  .option('--trace', 'a line an event')
  .action(ends(oneCommand))
drawn(program.command('twice').description('two runs, compared').argument('<seed or file>')).action(
  ends(twiceCommand),
)
drawn(program.command('replay').description('a stored failure again').argument('<file>'))
  .option('--trace', 'a line an event')
  .option('--until <t>', 'up to an instant, for example 12.3s')
  .option('--break <path:type>', 'up to a message, for example n0/pool:chain.head')
  .action(ends(replayCommand))
drawn(
  program.command('shrink').description('the smallest such failure').argument('<seed or file>'),
).action(ends(shrinkCommand))
program
  .command('corpus')
  .description('all stored failures, which must pass')
  .option('--jobs <n>', 'processes at work')
  .option('--json', 'for programs')
  .action(ends(corpusCommand))
program
  .command('gate')
  .description('what each change runs: the corpus and the seeds of its commit')
  .option('--jobs <n>', 'processes at work')
  .option('--json', 'for programs')
  .action(ends(gateCommand))
program
  .command('planted')
  .description('searches for planted bugs')
  .argument('[bug]')
  .option('--seeds <n>', 'how many at most')
  .option('--from <n>', 'the first', '0')
  .option('--jobs <n>', 'processes at work')
  .option('--store', 'also stores each small history')
  .option('--json', 'for programs')
  .action(ends(plantedCommand))
program
  .command('speed')
  .description('how fast worlds run here')
  .option('--json', 'for programs')
  .action(ends(speedCommand))
program
  .command('soak')
  .description('many hours of one world: nothing may grow')
  .option('--hours <n>', 'virtual hours', '24')
  .option('--json', 'for programs')
  .action(ends(soakCommand))
program
  .command('bisect')
  .description('the commit that broke a stored failure')
  .argument('<file>')
  .option('--good <commit>', 'one without the failure')
  .option('--bad <commit>', 'one with it', 'HEAD')
  .option('--json', 'for programs')
  .action(ends(bisectCommand))
addScenario(program, ends)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof UsageError) {
    console.error(error.message)
    exitCode = 2
  } else if (error instanceof CommanderError) {
    exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    console.error(error)
    exitCode = 127
  }
}
process.exitCode = exitCode
