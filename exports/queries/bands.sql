select health_band, count(*) as customer_count, sum(arr) as arr
from customer_360
where health_band is not null
group by health_band
order by case health_band when 'red' then 1 when 'yellow' then 2 when 'green' then 3 else 4 end
