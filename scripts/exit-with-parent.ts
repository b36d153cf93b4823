/** Preloaded into a child that has an IPC channel: ends it when its parent is gone, however that went. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
