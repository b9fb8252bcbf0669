import type { NodeProcess, PortsFile } from './child.ts'
import { readPorts, startNode, tail } from './child.ts'

const readyDeadlineMs = 60_000
const stopDeadlineMs = 35_000

/** One node as it was laid out on disk: everything a start needs, so that a restart is the same start again. */
export interface Plan {
  readonly name: string
  readonly datadir: string
  readonly log: string
  readonly flags: readonly string[]
}

/** `ended`: gone without having been told to. */
type NodeState = 'starting' | 'running' | 'paused' | 'killed' | 'stopped' | 'ended'

interface Member {
  readonly plan: Plan
  child: NodeProcess
  state: NodeState
}

export type Fleet = ReturnType<typeof startFleet>

/** The node processes of one devnet. `ended` is called when one goes that was not told to. */
export function startFleet(plans: readonly Plan[], ended: (name: string, code: number) => void) {
  const members = new Map<string, Member>()
  /** Verbs wait for each other, so that a restart never meets a kill halfway. */
  let turn: Promise<unknown> = Promise.resolve()
  let isClosing = false

  for (const plan of plans) {
    const member: Member = { plan, child: launch(plan), state: 'starting' }
    members.set(plan.name, member)
    follow(member)
  }

  function launch({ name, datadir, log, flags }: Plan): NodeProcess {
    return startNode(name, datadir, log, flags)
  }

  function follow(member: Member): void {
    const { child } = member
    void child.exited.then(code => {
      const isTold = member.state === 'killed' || member.state === 'stopped'
      if (member.child !== child || isTold) return
      member.state = 'ended'
      ended(member.plan.name, code)
    })
  }

  function find(name: string): Member {
    const member = members.get(name)
    if (member !== undefined) return member
    throw new Error(`no node "${name}" here; there are ${[...members.keys()].join(', ')}`)
  }

  const isAlive = ({ state }: Member): boolean =>
    state === 'running' || state === 'paused' || state === 'starting'

  function alive(name: string): Member {
    const member = find(name)
    if (isAlive(member)) return member
    throw new Error(`${name} is not running (${member.state}); restart it first`)
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  /** What it says of itself once it is ready; throws with the end of its log when it gives up. */
  async function ready(member: Member): Promise<PortsFile> {
    const { plan, child } = member
    const deadline = performance.now() + readyDeadlineMs
    let gone: number | undefined
    void child.exited.then(code => {
      gone = code
    })
    for (;;) {
      const ports = readPorts(plan.datadir, child.process.pid ?? 0)
      if (ports !== undefined) {
        member.state = 'running'
        return ports
      }
      if (gone !== undefined)
        throw new Error(`${plan.name} ended with code ${gone}:\n${tail(plan.log, 12)}`)
      if (performance.now() > deadline)
        throw new Error(`${plan.name} was not ready within 60 s; see ${plan.log}`)
      await new Promise(resolve => setTimeout(resolve, 30))
    }
  }

  async function kill(name: string): Promise<void> {
    const member = alive(name)
    member.state = 'killed'
    member.child.process.kill('SIGKILL')
    await member.child.exited
  }

  /** Drains it; a paused one is woken for that, since it hears nothing. */
  async function stop(name: string): Promise<void> {
    const member = alive(name)
    member.state = 'stopped'
    terminate(member)
    await orKilled(member)
  }

  function terminate({ child }: Member): void {
    child.process.kill('SIGTERM')
    if (process.platform !== 'win32') child.process.kill('SIGCONT')
  }

  async function orKilled({ child }: Member, forced?: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, stopDeadlineMs)
    })
    await Promise.race([child.exited, late, ...(forced === undefined ? [] : [forced])])
    clearTimeout(timer)
    child.process.kill('SIGKILL')
    await child.exited
  }

  async function restart(name: string): Promise<PortsFile> {
    const member = find(name)
    if (isAlive(member)) await stop(name)
    if (isClosing) throw new Error('the devnet is stopping')
    member.child = launch(member.plan)
    member.state = 'starting'
    follow(member)
    return ready(member)
  }

  function freeze(name: string, isPaused: boolean): void {
    if (process.platform === 'win32') throw new Error('Windows cannot pause a process')
    const member = alive(name)
    member.child.process.kill(isPaused ? 'SIGSTOP' : 'SIGCONT')
    member.state = isPaused ? 'paused' : 'running'
  }

  return {
    allReady: () => Promise.all([...members.values()].map(ready)),
    states: () =>
      [...members.values()].map(({ plan, state, child }) => ({
        name: plan.name,
        state,
        pid: child.process.pid ?? 0,
      })),
    /** False once every node has gone by itself: then there is nothing left to watch. */
    isWorthWatching: () => [...members.values()].some(({ state }) => state !== 'ended'),
    kill: (name: string) => inTurn(() => kill(name)),
    stop: (name: string) => inTurn(() => stop(name)),
    restart: (name: string) => inTurn(() => restart(name)),
    pause: (name: string) => inTurn(async () => freeze(name, true)),
    resume: (name: string) => inTurn(async () => freeze(name, false)),
    /** Ends all and waits for their drains, at the latest until `forced`; the name and code of each that ended badly. */
    async stopAll(forced: Promise<void>): Promise<{ name: string; code: number }[]> {
      isClosing = true
      const all = [...members.values()]
      for (const member of all) {
        if (!isAlive(member)) continue
        member.state = 'stopped'
        terminate(member)
      }
      await Promise.all(all.map(member => orKilled(member, forced)))
      const codes = await Promise.all(
        all.map(async ({ plan, child }) => ({ name: plan.name, code: await child.exited })),
      )
      return codes.filter(({ code }) => code !== 0 && code !== 137)
    },
  }
}
