// A seat of the benchmark: imapflow, with everything parsed. worker.py describes the requests and answers.
'use strict';

const readline = require('node:readline');
const { ImapFlow } = require('imapflow');

// What imapflow calls the items of a workload.
const QUERIES = {
    FLAGS: { flags: true },
    MODSEQ: {}, // comes with the flags if the server has CONDSTORE
    INTERNALDATE: { internalDate: true },
    'RFC822.SIZE': { size: true },
    ENVELOPE: { envelope: true },
    BODYSTRUCTURE: { bodyStructure: true },
    'BODY[]': { source: true },
    'BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]': {
        headers: ['from', 'to', 'subject', 'date', 'message-id']
    }
};

async function open(task) {
    const client = new ImapFlow({
        host: '127.0.0.1',
        port: task.port,
        secure: false,
        doSTARTTLS: false,
        disableAutoIdle: true,
        auth: { user: task.user, pass: 'secret' },
        logger: false
    });
    await client.connect();
    await client.mailboxOpen(task.folder);
    const search = () => client.search({ all: true }, { uid: true });
    if (task.call === 'search') {
        return search;
    }
    const ids = await search();
    const query = Object.assign({ uid: true }, ...task.items.map(item => QUERIES[item]));
    return () => client.fetchAll(ids, query, { uid: true });
}

async function measured(run) {
    if (global.gc) {
        global.gc();
    }
    const before = process.cpuUsage();
    const start = process.hrtime.bigint();
    const result = await run();
    const wall = Number(process.hrtime.bigint() - start) / 1e9;
    const used = process.cpuUsage(before);
    return { wall, cpu: (used.user + used.system) / 1e6, peak: null, count: result.length, collector: false };
}

async function main() {
    let run;
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const request = JSON.parse(line);
        let answer;
        try {
            if (request.do === 'open') {
                run = await open(request);
                answer = { version: `${require('imapflow/package.json').version}, Node ${process.version}` };
            } else {
                answer = await measured(run);
            }
        } catch (error) {
            answer = { error: `${error.name}: ${error.message}` };
        }
        console.log(JSON.stringify(answer));
    }
    process.exit(0);
}

main();
