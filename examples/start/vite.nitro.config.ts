import { nitro } from 'nitro/vite'
import { mergeConfig } from 'vite'
import config from './vite.config.ts'

/** The same app as one folder that Nitro's server runs: `.output`. */
export default mergeConfig(config, {
  // Without a warning for each "use client" in a library.
  plugins: [nitro({ rolldownConfig: { checks: { moduleLevelDirective: false } } })],
})
