import { parentPort } from 'node:worker_threads'
import { toReport } from './simulate.ts'

parentPort?.on('message', (seed: number) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of Node has none
  void toReport(seed).then((report) => parentPort?.postMessage(report))
})
