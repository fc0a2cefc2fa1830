// Workers that share memory, and a child process.
const { Worker, isMainThread, workerData, parentPort } = require('node:worker_threads');
const { execFileSync } = require('node:child_process');

if (isMainThread) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const worker = (number) => new Promise((done, failed) => {
    new Worker(__filename, { workerData: { shared, number } }).on('message', done).on('error', failed);
  });
  Promise.all([1, 2, 3, 4].map(worker)).then((answers) => {
    const child = execFileSync('echo', ['child']).toString().trim();
    console.log(answers.join(','), Atomics.load(shared, 0), child);
  });
} else {
  for (let i = 0; i < 1000; i++) Atomics.add(workerData.shared, 0, workerData.number);
  parentPort.postMessage(workerData.number * workerData.number);
}
