import { tanstackStart } from '@tanstack/react-start/plugin/vite'
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defaultServerConditions, defineConfig } from 'vite'

// This repository only: read the packages' sources, so that nothing waits for a build.
const sources = 'query-tags-source'

export default defineConfig({
  plugins: [tanstackStart(), react()],
  resolve: { tsconfigPaths: true, conditions: [sources, ...defaultClientConditions] },
  ssr: {
    noExternal: [/^@query-tags\//],
    resolve: { conditions: [sources, ...defaultServerConditions] },
  },
})
