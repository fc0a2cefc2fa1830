// Threads that share a counter, and enough garbage for it to be collected.
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

public class Hello {
    public static void main(String[] arguments) throws Exception {
        var sum = new AtomicLong();
        var pool = Executors.newFixedThreadPool(4);
        for (int task = 0; task < 100; task++) {
            pool.execute(() -> sum.addAndGet("x".repeat(100_000).length()));
        }
        pool.shutdown();
        System.out.println(pool.awaitTermination(5, TimeUnit.MINUTES) + " " + sum);
    }
}
