import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // This repository only: read the packages' sources, so that nothing waits for a build.
  resolve: { conditions: ['query-tags-source', ...defaultClientConditions] },
  server: {
    proxy: {
      '/api': {
        target: process.env['VITE_API_URL'] ?? 'http://localhost:3001',
        changeOrigin: true,
      },
    },
  },
})
