export { fromNode, type NodeRequestOptions } from './from-node.ts'
export { send } from './send.ts'
