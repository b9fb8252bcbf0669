/**
 * Composition: one bus, the whole cast, the wiring table, the lifecycle, metrics. `createNode(ports, config)` makes a node that runs the same
 * over real ports and over simulated ones. Not here: I/O and any rule of a domain.
 */

export type { Inside, NodeRefs } from './cast.ts'
export {
  createNode,
  type Node,
  type NodeConfig,
  type NodeParts,
  type NodePorts,
  type NodeStatus,
  type StopPhase,
} from './node.ts'
export type { TowerPorts } from './recorded-ports.ts'
export { type NodeReplay, type ReplayParts, replayNode } from './replay-node.ts'
export { type NetworkNames, topicsOf } from './topics.ts'
