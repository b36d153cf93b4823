export {
  createInvalidatorClient,
  type ControlAnswer,
  type ControlFunction,
  type InvalidatorClientOptions,
} from './create-invalidator-client.ts'
export type { ConnectionStatus, InvalidatorClient } from '@query-tags/core/client'
