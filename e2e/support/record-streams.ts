import type { Page } from 'playwright-core'

interface Recording {
  streamText: string
}

/** Keeps every byte that a page's streams of invalidations bring. To be called before the page is opened. */
export async function recordStreams(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const recording = Object.assign(globalThis, { streamText: '' })
    const reach = globalThis.fetch
    globalThis.fetch = async (...request) => {
      const response = await reach(...request)
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response
      const keep = new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          recording.streamText += new TextDecoder().decode(bytes)
          controller.enqueue(bytes)
        },
      })
      return new Response(response.body!.pipeThrough(keep), response)
    }
  })
}

export function streamText(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as Recording).streamText)
}
