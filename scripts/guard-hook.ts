/**
 * For `node --import`: whatever is loaded of our packages is without the guard that `REMOVE_GUARD` names.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { removeGuard } from './guard-marks.ts'

const name = process.env['REMOVE_GUARD'] ?? ''

registerHooks({
  load(url, context, nextLoad) {
    if (!/\/packages\/[^/]+\/src\/.*\.tsx?$/.test(url)) return nextLoad(url, context)
    const file = fileURLToPath(url)
    const source = removeGuard(file, readFileSync(file, 'utf8'), name)
    return source === undefined ? nextLoad(url, context) : { format: 'module-typescript', source, shortCircuit: true }
  },
})
