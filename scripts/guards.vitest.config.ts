/** The tests, run on sources without the guard that `REMOVE_GUARD` names. See `guards.ts`. */
import type { Plugin } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config'
import config from '../vitest.config.ts'
import { removeGuard } from './guard-marks.ts'

const name = process.env['REMOVE_GUARD'] ?? ''

const withoutGuard: Plugin = {
  name: 'without-guard',
  enforce: 'pre',
  transform(code, id) {
    return /\/packages\/[^/]+\/src\/.*\.tsx?$/.test(id) ? removeGuard(id, code, name) : undefined
  },
}

const projects = (config.test?.projects ?? []) as TestProjectInlineConfiguration[]

const guardConfig: ViteUserConfig = defineConfig({
  ...config,
  test: {
    ...config.test,
    // Its keys know nothing of REMOVE_GUARD.
    fsModuleCache: false,
    projects: projects.map((project) => ({ ...project, plugins: [withoutGuard] })),
  },
})

export default guardConfig
