// A browser starts no worker from a file. Where the site is opened as files, the search runs in a hidden frame that speaks as a worker does.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.src = "about:blank";
      document.body.appendChild(this.frame);
      const inner = this.frame.contentWindow;
      const script = inner.document.createElement("script");
      inner.postMessageToPage = (data) => setTimeout(() => this.receive(data), 0);
      inner.eval("self.postMessage = (data) => postMessageToPage(data); self.importScripts = (...all) => Promise.all(all.map((one) => new Promise((done) => { const part = document.createElement('script'); part.src = one; part.onload = done; document.body.appendChild(part); })));");
      script.src = address;
      script.onload = () => { this.ready = true; this.waiting.splice(0).forEach((data) => this.give(data)); };
      inner.document.body.appendChild(script);
    }
    receive(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }
    give(data) { this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })); }
    postMessage(data) { if (this.ready) this.give(data); else this.waiting.push(data); }
    terminate() { this.frame.remove(); }
  };
}
